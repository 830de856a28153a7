"""What could not be measured is said once for everything that has one reason, however many there are."""

from demottle.quality.refusals import refusals

WHY = "It lies at the border: 3 px are missing."


def test_one_reason_is_one_sentence_whatever_its_figures() -> None:
    told = refusals("No contrast", [f"a: {WHY}", "b: It lies at the border: 5 px are missing.", "c: It is too small."])
    assert told == (f"No contrast of a, b: {WHY}", "No contrast of c: It is too small.")


def test_a_long_list_of_names_is_cut_and_says_how_many_more() -> None:
    assert refusals("No contrast", [f"lesion {n}: {WHY}" for n in range(1, 13)]) == (
        f"No contrast of lesion 1, lesion 2, lesion 3 and 9 more: {WHY}",
    )
    assert refusals("No contrast", [f"{name}: {WHY}" for name in "abcd"]) == (f"No contrast of a, b, c, d: {WHY}",)
