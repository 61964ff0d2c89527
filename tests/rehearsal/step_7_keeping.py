"""What is kept: backups that can be restored, certificates that can be replaced, and nothing to do after it all."""

from tests.rehearsal.conftest import Saw
from tests.rehearsal.outside import ask
from tests.rehearsal.stage import Rehearsal


def test_a_backup_brings_back_what_was_deleted(rehearsal: Rehearsal, saw: Saw) -> None:
    site, app = rehearsal.site, rehearsal.hosts["app"]
    study = ask(site, 'sign_in(); print(json.dumps(call("GET", "/jobs/" + finished(upload())["id"])["study_id"]))')
    site.play("backup.yml")
    backup = app.run("find /var/backups/lightbox -mindepth 1 -maxdepth 1 -name '20*Z' | sort | tail -n 1").strip()
    ask(site, 'sign_in(); http.delete(told["origin"] + "/api/v1/studies/" + told["study"]); print("1")', study=study)
    site.play("restore.yml", "-e", f"backup={backup}")
    back = ask(site, 'sign_in(); print(json.dumps(call("GET", "/studies/" + told["study"])["id"]))', study=study)
    assert back == study
    saw("a deleted study is back")


def test_a_damaged_backup_is_refused(rehearsal: Rehearsal, saw: Saw) -> None:
    app = rehearsal.hosts["app"]
    newest = app.run("find /var/backups/lightbox -mindepth 1 -maxdepth 1 -name '20*Z' | sort | tail -n 1").strip()
    app.run(f"cp -a {newest} /var/tmp/damaged && printf x >> /var/tmp/damaged/database.dump")
    assert "FAILED" in app.run("lightbox-restore-test /var/tmp/damaged", check=False)
    saw("one byte more in the database's copy is found")


def test_certificates_and_their_authority_are_replaced(rehearsal: Rehearsal, saw: Saw) -> None:
    site, edge = rehearsal.site, rehearsal.hosts["edge"]
    before, trusted = edge.run("sha256sum < /etc/lightbox/tls/chain.pem"), site.authority.read_text()
    site.play("rotate-certificates.yml", "-e", "new_authority=true")
    assert edge.run("sha256sum < /etc/lightbox/tls/chain.pem") != before
    assert site.authority.read_text() != trusted
    assert ask(site, "sign_in(); print(json.dumps(finished(upload())))")["state"] == "succeeded"
    saw("a new authority and new certificates; the portal goes on")


def test_nothing_is_left_to_do(rehearsal: Rehearsal, saw: Saw) -> None:
    outcome = rehearsal.site.play("site.yml", "--check")
    assert outcome.changed == dict.fromkeys(rehearsal.hosts, 0), outcome.changes()
    saw("after everything above, --check: changed=0 on every host")
