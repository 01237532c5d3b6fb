"""What programs see: ?metrics and ?json of acme-status, conf/monitoring."""

import copy
import json
import re
import shutil
import subprocess

import jsonschema
import pytest

from lib import proxy
from lib.httpd import REPOSITORY
from lib.prometheus import MONITORING, Prometheus
from lib.wait import wait_until

NAME = "www.example.org"
FAILING = "failing.example.org"
OTHER = "other.example.org"

OPEN = "application/openmetrics-text"
# What Prometheus 2 sends.
ACCEPT = (f"{OPEN};version=1.0.0,{OPEN};version=0.0.1;q=0.75,"
          "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")

SAMPLE = re.compile(r'(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def get(server, query, accept=None, **more):
    return server.get(f"/acme-status?{query}", port=server.status_port,
                      headers={"Accept": accept} if accept else None, **more)


def metrics(server, accept=None):
    """{name: {labels: value}}, where labels are "k=v k=v" in their order."""
    body = get(server, "metrics", accept).body
    found = {}
    for line in body.splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            key = " ".join(f"{k}={v}" for k, v in LABEL.findall(labels or ""))
            series = found.setdefault(name, {})
            assert key not in series, f"twice: {line}"
            series[key] = float(value)
    return found


def promtool(*arguments, **options):
    done = subprocess.run(["promtool", *arguments], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **options)
    return done.returncode, done.stdout


def queries():
    """Those of the dashboard, as Grafana sends them."""
    board = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "1m")
            yield re.sub(r"\$(job|instance)", ".*", query)


def named(expression):
    """The metrics in it, the labels that it wants of each, and of all."""
    wanted = {}
    for name, labels in re.findall(r"\b(acme_[a-z_]+)(?:\{([^}]*)\})?",
                                   expression):
        wanted.setdefault(name, set()).update(
            re.findall(r"(\w+)\s*(?:=|!)", labels))
    return wanted, {label for labels in re.findall(
        r"\b(?:by|without|on)\s*\(([^)]*)\)", expression)
        for label in re.findall(r"\w+", labels)}


def assert_there(prometheus, expression):
    """A metric or a label that nothing has would never say anything."""
    wanted, of_any = named(expression)
    there = {name: {label for labels, _ in prometheus.wait_for(name)
                    for label in labels} for name in wanted}
    for name, labels in wanted.items():
        assert labels <= there[name], f"{expression}: {labels - there[name]}"
    lacking = of_any - set().union(*there.values())
    assert not there or not lacking, f"{expression}: {lacking}"


def validator():
    schema = json.loads((MONITORING / "acme-status.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def status(server, query="json"):
    reply = get(server, query)
    assert reply.status == 200, reply
    assert reply.headers["content-type"] == "application/json"
    document = json.loads(reply.body)
    validator().validate(document)
    return document


def test_programs_see_certificates_requests_and_failures(site):
    ca, failing_ca = site.proxied_ca(), site.proxied_ca()
    server = site.server(ca)
    failing_ca.answer(proxy.status(500, detail='no "luck" \\ here'), "order")
    crt, key = site.authority.server_files(OTHER, OTHER)
    server.vhost(NAME, body="AcmeKeyTypes p256 rsa2048")
    vhost = server.vhost(FAILING, body=f"AcmeCA {failing_ca.url}")
    server.vhost(OTHER, body="AcmeEngine off\n"
                 f"SSLCertificateFile {crt}\nSSLCertificateKeyFile {key}")
    server.start()
    served = server.wait_valid(NAME)
    server.wait_failed(FAILING)
    server.wait(lambda: server.certificate(NAME).get("ServedAt"),
                "the self check has seen it")

    seen_by_prometheus(site, server, served)
    formats_are_those_of_prometheus(server)
    counters_outlive_the_reload(server)
    samples_say_what_is(server, served)
    shipped_files_name_what_there_is(server)
    json_is_as_the_schema_says(server, served, vhost)
    json_of_one(server)
    a_failure_of_the_schema_is_seen(server)


def seen_by_prometheus(site, server, served):
    prometheus = Prometheus(site.folder / "prometheus", server.status_port)
    site.closing.callback(prometheus.end)
    prometheus.start()
    found = prometheus.wait_for(
        f'acme_certificate_not_after_timestamp_seconds{{id="{NAME}"}}')
    assert {labels["key_type"] for labels, _ in found} == {"p256", "rsa2048"}
    assert {value for _, value in found} <= {
        served.not_after.timestamp() + more for more in (-2, -1, 0, 1, 2)}
    assert {labels["job"] for labels, _ in found} == {"mod_acme"}
    [target] = prometheus.targets()
    assert target["health"] == "up" and not target["lastError"]
    # Pending, as an hour has not passed; that there were no metrics before
    # the first ones came is over.
    wait_until(lambda: prometheus.alerts() == {"AcmeCertificateMissing"},
               "the rules see that a certificate is missing")
    # It answers each query of the dashboard, once something happens.
    server.renew(FAILING)
    for query in queries():
        prometheus.wait_for(query)
        assert_there(prometheus, query)
    wait_until(lambda: {rule["health"] for rule in prometheus.rules()}
               == {"ok"}, "all rules were evaluated")
    rules = prometheus.rules()
    assert len(rules) > 8 and not [rule for rule in rules
                                   if rule.get("lastError")]
    for rule in rules:
        assert_there(prometheus, rule["query"])
    with pytest.raises(AssertionError):
        assert_there(prometheus, "sum by (statE) (acme_certificate_state)")
    with pytest.raises(AssertionError):
        assert_there(prometheus, 'acme_certificate_state{staet="valid"}')
    prometheus.end()


def formats_are_those_of_prometheus(server):
    plain = get(server, "metrics")
    assert plain.headers["content-type"] == \
        "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE acme_attempts_total counter\n" in plain.body
    assert "# EOF" not in plain.body and "# UNIT" not in plain.body
    code, text = promtool("check", "metrics", input=plain.body)
    assert code == 0 and not text, text

    opened = get(server, "metrics", ACCEPT)
    assert opened.headers["content-type"] == \
        f"{OPEN}; version=1.0.0; charset=utf-8"
    assert "accept" in opened.headers["vary"].lower()
    assert "# TYPE acme_attempts counter\n" in opened.body
    assert "# UNIT acme_limit_wait_seconds seconds\n" in opened.body
    assert opened.body.endswith("# EOF\n")
    for family in re.findall(r"# TYPE (\S+)", opened.body):
        assert f"# HELP {family} " in opened.body
    for accept, kind in (("text/plain", "text/plain"), ("*/*", "text/plain"),
                         (f"{OPEN};q=0", "text/plain"), (OPEN, OPEN),
                         (f"text/plain, {OPEN};q=0.1", "text/plain"),
                         (f"{OPEN};q=nonsense", "text/plain")):
        reply = get(server, "metrics", accept)
        assert reply.headers["content-type"].startswith(kind), accept
    assert not get(server, "metrics", method="HEAD").body


def counters_outlive_the_reload(server):
    assert server.loads > 1
    before = metrics(server)
    assert before["acme_attempts_total"][f"id={NAME} result=success"] == 1
    assert before["acme_reloads_total"]["result=signalled"] >= 1
    server.graceful()
    server.wait_state(NAME, "valid")
    after = metrics(server)
    for name in ("acme_attempts_total", "acme_ca_requests_total"):
        assert all(after[name][labels] >= value
                   for labels, value in before[name].items()), name
    assert wait_until(
        lambda: sum(metrics(server)["acme_process_up"].values()) == 3,
        "keeper, renewal and witness run")


def samples_say_what_is(server, served):
    now = metrics(server)
    shown = server.certificate(NAME)
    assert shown["State"] == "valid"
    states = {labels for labels, value in
              now["acme_certificate_state"].items() if value == 1}
    assert f"id={NAME} state=valid" in states and len(states) == 2
    before = now["acme_certificate_not_before_timestamp_seconds"]
    assert len(before) == 2 and all(served.issuer in labels
                                    for labels in before), before
    renewal = now["acme_certificate_renewal_timestamp_seconds"][f"id={NAME}"]
    assert min(before.values()) < renewal < served.not_after.timestamp()
    assert now["acme_certificate_served"] == {
        f"id={NAME} address=127.0.0.1:{server.https_port}": 1}
    failures = now["acme_certificate_failed_attempts"]
    assert failures[f"id={NAME}"] == 0 and failures[f"id={FAILING}"] >= 1
    assert now["acme_certificate_revoked"][f"id={NAME}"] == 0
    assert f"id={FAILING} reason=ca-internal-error" in \
        now["acme_certificate_reason"]

    attempts = now["acme_attempts_total"]
    assert attempts[f"id={FAILING} result=failure"] >= 1
    assert attempts[f"id={FAILING} result=success"] == 0
    assert sum(value for labels, value in now["acme_failures_total"].items()
               if "reason=ca-internal-error" in labels) >= 1
    requests = now["acme_ca_requests_total"]
    for resource in ("directory", "newNonce", "newAccount", "newOrder",
                     "authorization", "challenge", "finalize", "certificate"):
        assert sum(value for labels, value in requests.items()
                   if f"resource={resource} status=2xx" in labels), resource
    assert sum(value for labels, value in requests.items()
               if "resource=newOrder status=5xx" in labels) >= 1
    replies = sum(value for labels, value in requests.items()
                  if "status=none" not in labels)
    assert replies == sum(
        now["acme_ca_request_duration_seconds_count"].values())
    assert replies == sum(
        value for labels, value in
        now["acme_ca_request_duration_seconds_bucket"].items()
        if "le=+Inf" in labels)
    assert now["acme_challenge_requests_total"][
        "type=http-01 result=answered"] >= 1
    assert now["acme_reload_held"] == {"": 0}
    assert set(now["acme_limit_wait_seconds"].values()) == {0}
    [build] = now["acme_build_info"]
    assert "version=" in build and "openssl=OpenSSL " in build


def shipped_files_name_what_there_is(server):
    there = set(metrics(server))
    for name in ("prometheus-rules.yml", "grafana-dashboard.json"):
        text = (MONITORING / name).read_text()
        named = set(re.findall(r"\bacme_[a-z_]+", text))
        assert named and not named - there, name
    manual = (REPOSITORY / "mod_acme/httpd/mod_acme.8").read_text()
    assert set(re.findall(r"^\.It Li (acme_[a-z_]+)", manual, re.M)) == \
        {re.sub("_seconds_(bucket|sum|count)$", "_seconds", name)
         for name in there}


def json_is_as_the_schema_says(server, served, vhost):
    shown = status(server)
    assert shown["version"] == 1 and len(shown["certificates"]) == 2
    daemon = shown["server"]
    assert daemon["keeper"]["up"] and daemon["keeper"]["pid"] == server.keeper
    assert daemon["witness"]["up"] and not daemon["reloadHeld"]
    by_id = {cert["id"]: cert for cert in shown["certificates"]}
    assert by_id[NAME]["state"] == "valid" and by_id[NAME]["served"]
    assert [part["keyType"] for part in by_id[NAME]["keyTypes"]] == \
        ["p256", "rsa2048"]
    assert {part["issuer"] for part in by_id[NAME]["keyTypes"]} == \
        {served.issuer}
    assert by_id[FAILING]["attempts"] >= 1
    assert by_id[FAILING]["keyTypes"][0]["validUntil"] is None
    assert '"luck"' in by_id[FAILING]["detail"]
    [used] = by_id[FAILING]["virtualHosts"]
    assert used == {"name": FAILING, "port": server.https_port,
                    "file": str(vhost), "line": 1}
    [other] = shown["unmanaged"]
    assert other["names"] == [OTHER] and OTHER in other["path"]

    code, text = server.acmectl("status", "--json")
    assert code == 1                # one fails
    for cert in json.loads(text):
        more = set(cert) - set(by_id[cert["id"]]) - {"source"}
        assert not more, f"acmectl has more: {more}"


def json_of_one(server):
    one = status(server, f"json&id={NAME}")
    [cert] = one["certificates"]
    assert cert["id"] == NAME and "unmanaged" not in one
    events = [event["event"] for event in cert["events"]]
    assert "installed" in events
    assert status(server, "json&id=www%2Eexample.org")["certificates"]
    for wrong in ("nobody", "", "%zz", "../live", "%00"):
        assert get(server, f"json&id={wrong}").status == 404, wrong


def a_failure_of_the_schema_is_seen(server):
    right = status(server, f"json&id={NAME}")
    for spoil in (lambda d: d.update(more=1),
                  lambda d: d["certificates"][0].update(more=1),
                  lambda d: d["certificates"][0].pop("serial"),
                  lambda d: d["server"]["keeper"].pop("up"),
                  lambda d: d.update(version=2),
                  lambda d: d["certificates"][0].update(state="fine")):
        wrong = copy.deepcopy(right)
        spoil(wrong)
        with pytest.raises(jsonschema.ValidationError):
            validator().validate(wrong)


def test_the_rules_raise_the_alerts_that_they_should():
    code, text = promtool("check", "rules",
                          str(MONITORING / "prometheus-rules.yml"))
    assert code == 0, text
    code, text = promtool("test", "rules",
                          str(MONITORING / "prometheus-rules.test.yml"))
    assert code == 0, text
    code, text = promtool("check", "config",
                          str(MONITORING / "prometheus.yml"))
    assert code == 0, text


def test_a_rule_that_is_changed_fails_its_test(tmp_path):
    for name in ("prometheus-rules.yml", "prometheus-rules.test.yml"):
        shutil.copy(MONITORING / name, tmp_path)
    rules = tmp_path / "prometheus-rules.yml"
    text = rules.read_text()
    for before, after in (("0.25 *", "0.5 *"), (">= 3", ">= 4"),
                          ("acme_process_up == 0", "acme_process_up == 2")):
        assert before in text
        rules.write_text(text.replace(before, after))
        code, said = promtool("test", "rules",
                              str(tmp_path / "prometheus-rules.test.yml"))
        assert code != 0, said


def test_the_dashboard_is_one_that_grafana_reads():
    board = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    assert board["title"] and board["schemaVersion"] >= 36
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)) > 10
    for panel in board["panels"]:
        assert panel["title"] and panel["targets"]
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    assert not [query for query in queries() if "$" in query]
