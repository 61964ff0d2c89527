"""One module a noun; each gives a blueprint named after itself."""

from ui_service.views import (
    account,
    audit,
    calibration,
    compare,
    directory,
    downloads,
    entrances,
    jobs,
    models,
    prompts,
    reviews,
    samples,
    second_factor,
    selection,
    sharing,
    sign_in,
    status,
    studies,
    uploads,
    users,
    versions,
    worklist,
)

BLUEPRINTS = tuple(
    view.blueprint
    for view in (
        sign_in,
        directory,
        worklist,
        uploads,
        samples,
        selection,
        studies,
        sharing,
        compare,
        jobs,
        downloads,
        reviews,
        prompts,
        models,
        versions,
        calibration,
        status,
        audit,
        users,
        account,
        second_factor,
        entrances,
    )
)
