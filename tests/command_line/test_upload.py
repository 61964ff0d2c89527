"""What goes in one request."""

from pathlib import Path

from command_line.upload import FILES_A_DROP, _drops


def test_a_folder_is_one_drop_and_single_files_go_together(tmp_path: Path) -> None:
    series = tmp_path / "series" / "inner"
    series.mkdir(parents=True)
    slices = [series / f"{number}.dcm" for number in (1, 2, 3)]
    films = [tmp_path / "a.png", tmp_path / "b.jpg"]
    for path in (*slices, *films):
        path.write_bytes(b"x")
    assert list(_drops([films[0], tmp_path / "series", films[1]])) == [films, slices]


def test_many_single_files_go_in_several_requests(tmp_path: Path) -> None:
    films = [tmp_path / f"{number}.png" for number in range(FILES_A_DROP + 1)]
    for film in films:
        film.touch()
    assert [len(drop) for drop in _drops(films)] == [FILES_A_DROP, 1]
