"""What is kept of a file that was taken: looks at the copies that models and viewers get."""

from collections.abc import Callable

from tests.bad_input.tier import Kept


def without(*foreign: bytes) -> Callable[[Kept], None]:
    """None of these bytes is in anything but the original, which nobody but its owner can save."""

    def look(kept: Kept) -> None:
        copies = kept.copies() + kept.pictures()
        assert len(copies) >= 2
        assert not any(each in data for each in foreign for data in copies)

    return look


def as_many(number: int) -> Callable[[Kept], None]:
    """The archive became so many studies, each with a picture of its own."""

    def look(kept: Kept) -> None:
        assert len(kept.studies) == len(set(kept.pictures())) == number

    return look


def volume(*shape: int) -> Callable[[Kept], None]:
    """One volume of these rows, columns and slices."""

    def look(kept: Kept) -> None:
        (study,) = kept.studies
        assert (study["kind"], tuple(study["shape"])) == ("volume", shape)

    return look
