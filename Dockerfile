# demottle with PyTorch for processors. No network is needed once it is built:
#   docker build -t demottle .
#   docker run --rm --network none -v "$PWD:/data" demottle denoise CHEST -o CHEST-clean

# The base is named by its tag, and so moves with its security updates. To pin it, name its digest,
# --build-arg BASE=python:3.11-slim@sha256:..., as `docker buildx imagetools inspect python:3.11-slim` says it.
ARG BASE=python:3.11-slim
FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/opt/demottle/bin:$PATH
RUN python -m venv /opt/demottle
WORKDIR /source
# PyTorch first, in its processor form: the default one brings gigabytes of CUDA. It changes less often than demottle.
COPY constraints.txt ./
RUN pip install -c constraints.txt --extra-index-url https://download.pytorch.org/whl/cpu torch
COPY pyproject.toml README.md LICENSE MANIFEST.in ./
COPY src ./src
RUN pip install -c constraints.txt --extra-index-url https://download.pytorch.org/whl/cpu ".[onnx,node]" \
    && demottle doctor --quick

FROM ${BASE}
COPY --from=build /opt/demottle /opt/demottle
RUN useradd --uid 1000 --create-home demottle && mkdir /data && chown demottle /data
# Matplotlib keeps a cache where it may write, also where --user names somebody else.
ENV PATH=/opt/demottle/bin:$PATH PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib
USER demottle
WORKDIR /data
# Runs one command and ends, so there is no service whose health could be asked for.
HEALTHCHECK NONE
ENTRYPOINT ["demottle"]
CMD ["--help"]
