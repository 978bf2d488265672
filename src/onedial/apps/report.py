"""`onedial report`: joint, model-only, compute-only and fixed arms compared on the outcomes collected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onedial.apps.options import Json, opened
from onedial.apps.terminal import cores, screen, stages, write_json

if TYPE_CHECKING:
    from onedial.engine.dial import Dial
    from onedial.engine.ladders import Progress
    from onedial.evals.report.findings import Findings

SAME_QUERIES = "Certificates are tested on the same held-out queries that are shown here, so the two are not independent."


def report(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for report.html, report.png and findings.json.")] = Path("onedial-report"),
    json: Json = False,
) -> None:
    """Compare every way to answer on the outcomes collected, and write it as a page, a picture and data."""
    from onedial.evals.report.document import write_report

    with opened(ctx) as dial, stages() as told:
        findings = compared(dial, told)
        told("draw", 0, 1)
        files = write_report(findings, out)
    if json:
        write_json({"title": findings.title, "files": files, "n_train": findings.n_train, "n_test": findings.n_test})
        return
    screen().print(findings.title, style="bold", soft_wrap=True)
    for path in files:
        screen().print(str(path), soft_wrap=True)


def compared(dial: Dial, progress: Progress) -> Findings:
    """Fit on the training queries, show on the held-out ones; the fit in force is left alone."""
    from onedial.engine.fit import fit_policies
    from onedial.evals.assemble import certificates_for, findings_of
    from onedial.evals.experiment import run_experiment

    settings, models = dial.settings, dial.pool.models
    train, test = dial.recorded()
    fitting = fit_policies(train, test, models, settings.reading, settings.seed, progress, cores())
    experiment = run_experiment(fitting, train, test, models, settings.reading, settings.seed, progress, cores())
    certificates = certificates_for(fitting.fit, list(experiment.targets))
    return findings_of(experiment, fitting, test, certificates=certificates, notes=(SAME_QUERIES,), seed=settings.seed)
