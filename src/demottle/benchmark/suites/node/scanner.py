"""A scanner of pynetdicom's, for where dcmtk is not installed.

`python -m demottle.benchmark.suites.node.scanner TITLE CALLED PORT FOLDER` sends all objects in a folder and ends with 0 where
all were acknowledged.
"""

import sys
from pathlib import Path

import pydicom
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE


def main(title: str, called: str, port: int, folder: Path) -> int:
    """Send; return 0, or 1 where something was not acknowledged."""
    files = sorted(folder.iterdir())
    entity = AE(title)
    for sop_class in sorted({str(pydicom.dcmread(file, specific_tags=["SOPClassUID"]).SOPClassUID) for file in files}):
        entity.add_requested_context(sop_class, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", port, ae_title=called)
    if not association.is_established:
        print("no association")
        return 1
    try:
        for file in files:
            answer = association.send_c_store(file)
            if not answer or answer.Status != 0:
                print(f"an object was not acknowledged ({answer.get('Status') if answer else 'no answer'})")
                return 1
    finally:
        association.release()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])))
