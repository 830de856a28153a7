"""What a reader is asked: five items from 1 to 5 with written anchors, and whether one would report from the image.

Texture and sharpness are items of their own: published studies show noise getting better while texture gets worse, which an
overall score hides. A higher score is the better one in every item.
"""

from dataclasses import dataclass

SCORE, YES_NO = "score", "yes-no"
LOWEST, HIGHEST, EQUAL = 1, 5, 3
REPORT = "report"
SIDES = ("left", "right")


@dataclass(frozen=True)
class Question:
    """One question as a reader sees it.

    Attributes:
        name: how answers, tables and files call it.
        kind: `SCORE`, answered by an integer from 1 to 5, or `YES_NO`, answered by True or False.
        title, text: its heading and the question itself.
        anchors: what each answer means, in words: from 1 to 5, or yes and no.
    """

    name: str
    kind: str
    title: str
    text: str
    anchors: tuple[str, ...]

    def accepts(self, answer: object) -> bool:
        """Say whether an answer is one of those there are."""
        if self.kind == YES_NO:
            return isinstance(answer, bool)
        return isinstance(answer, int) and not isinstance(answer, bool) and LOWEST <= answer <= HIGHEST


ITEMS = ("noise", "sharpness", "texture", "artifacts", "confidence")

_SINGLE = (
    Question(
        "noise",
        SCORE,
        "Noise",
        "How much does noise disturb?",
        (
            "Unacceptable: hides structures that matter",
            "Strong: makes reading difficult",
            "Moderate: acceptable",
            "Slight: does not disturb",
            "Minimal: hardly seen",
        ),
    ),
    Question(
        "sharpness",
        SCORE,
        "Sharpness",
        "How sharp are organ edges and vessels?",
        (
            "Blurred: organ edges cannot be followed",
            "Soft: small vessels are lost",
            "Acceptable: large vessels sharp, small ones soft",
            "Good: small vessels can be followed",
            "Excellent: edges and smallest vessels crisp",
        ),
    ),
    Question(
        "texture",
        SCORE,
        "Noise texture",
        "How natural is the grain of the image?",
        (
            "Artificial: waxy, blotchy or like plastic",
            "Clearly unnatural: disturbs",
            "Somewhat unnatural: acceptable",
            "Nearly natural",
            "Natural: as in a scan at normal dose",
        ),
    ),
    Question(
        "artifacts",
        SCORE,
        "Artifacts",
        "Are there artifacts, including structures that seem invented?",
        (
            "Severe: could lead to a wrong diagnosis",
            "Marked: reading is impaired",
            "Moderate: seen, reading is not impaired",
            "Slight: only on close inspection",
            "None",
        ),
    ),
    Question(
        "confidence",
        SCORE,
        "Diagnostic confidence",
        "How sure can a diagnosis be?",
        (
            "None: no diagnosis possible",
            "Low: only gross findings",
            "Moderate: usual findings, with reservations",
            "High: nearly everything asked for",
            "Full: also subtle findings",
        ),
    ),
)
_REPORT = Question(REPORT, YES_NO, "Reporting", "Would you report from this image?", ("Yes", "No"))

_PREFERENCE = (
    "Left clearly better",
    "Left slightly better",
    "No difference",
    "Right slightly better",
    "Right clearly better",
)
_COMPARED = {
    "noise": "Which image has less disturbing noise?",
    "sharpness": "Which image has the sharper organ edges and vessels?",
    "texture": "Which image has the more natural grain?",
    "artifacts": "Which image has fewer artifacts, including structures that seem invented?",
    "confidence": "Which image allows the more confident diagnosis?",
}


def questions_for(pairs: bool) -> tuple[Question, ...]:
    """Return the questions of a study of single images, or of pairs: there 3 means that both are equal."""
    if not pairs:
        return (*_SINGLE, _REPORT)
    compared = [Question(q.name, SCORE, q.title, _COMPARED[q.name], _PREFERENCE) for q in _SINGLE]
    each = [
        Question(
            report_name(place), YES_NO, f"Reporting, {side}", f"Would you report from the {side} image?", ("Yes", "No")
        )
        for place, side in enumerate(SIDES)
    ]
    return (*compared, *each)


def report_name(place: int | None = None) -> str:
    """The name of the yes/no question: of a single image, or of the image at a place of a pair."""
    return REPORT if place is None else f"{REPORT}_{SIDES[place]}"
