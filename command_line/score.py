"""`lightbox score`: how good the outlines of a folder of cases are, as the MedSAM challenge reckons."""

import csv
from collections.abc import Iterator
from pathlib import Path

import click

ENDING = ".npz"


@click.command()
@click.argument("truth", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("answers", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--csv", "table", type=click.Path(dir_okay=False, path_type=Path), help="Write case, DSC and NSD there.")
def score(truth: Path, answers: Path, table: Path | None) -> None:
    """Compare `segs` in ANSWERS/CASE.npz with `gts` in TRUTH/CASE.npz: Dice (DSC) and surface Dice within 2 mm (NSD;
    2 pixels where a case has no spacing), each the mean over the labels of the truth. A case without an answer counts
    as 0. Ends with status 1 when a case could not be scored."""
    rows, faults = [], 0
    cases = sorted(path for path in truth.glob(f"*{ENDING}"))
    for case, result in _scored(cases, answers):
        if isinstance(result, str):
            click.echo(f"{case}: {result}", err=True)
            faults += 1
        else:
            rows.append((case, *(f"{value:.4f}" for value in result)))
            click.echo("  ".join(rows[-1]))
    if not rows:
        raise click.ClickException(f"Expected cases with `gts` in {truth}. There is none.")
    means = [sum(float(row[column]) for row in rows) / len(rows) for column in (1, 2)]
    click.echo(f"{len(rows)} cases: DSC {means[0]:.4f}, NSD {means[1]:.4f}")
    if table:
        with table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("case", "dsc", "nsd"), *rows])
    raise SystemExit(1 if faults else 0)


def _scored(cases: list[Path], answers: Path) -> Iterator[tuple[str, tuple[float, float] | str]]:
    """Yields each case with its two scores, or with what is wrong with it."""
    try:
        import numpy as np

        from command_line.overlap import scores
    except ImportError as error:
        raise click.ClickException("Scoring needs NumPy and SciPy: install lightbox[score].") from error
    for case in cases:
        try:
            with np.load(case) as file:
                truth = file["gts"]
                # Stored as x, y, z; the arrays are slices, rows, columns.
                spacing = file["spacing"][::-1].tolist() if "spacing" in file.files else [1.0] * truth.ndim
            if not (answers / case.name).exists():
                yield case.stem, (0.0, 0.0)
                continue
            with np.load(answers / case.name) as file:
                answer = file["segs"]
            yield case.stem, scores(truth, answer, spacing)
        except KeyError as error:
            yield case.stem, f"it has no {error.args[0].split()[0]}"
        except (ValueError, OSError) as error:
            yield case.stem, f"{error}"
