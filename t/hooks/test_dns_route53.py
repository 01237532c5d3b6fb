"""dns-route53: TXT records in Route 53, beside those of others."""

import pytest

from lib.wait import PATIENCE
from aws_hooks import Hook, check_environment, check_troubles

VALUE = "-J5e_wXqy0dpL4BTPLVnNqCMnCtSuJTE60FVRPq1K3o"


class Zones:
    """Route 53's side, seen by its API; zones of a test are its own."""

    def __init__(self, cloud):
        self.api = cloud.client("route53")

    def create(self, name, private=False):
        made = self.api.create_hosted_zone(
            Name=name, CallerReference=f"{name}{private}", HostedZoneConfig={
                "PrivateZone": private, "Comment": "of a test"})
        return made["HostedZone"]["Id"].rpartition("/")[2]

    def put(self, zone, record, *values, ttl=300):
        self.api.change_resource_record_sets(
            HostedZoneId=zone, ChangeBatch={"Changes": [
                {"Action": "UPSERT", "ResourceRecordSet": {
                    "Name": record, "Type": "TXT", "TTL": ttl,
                    "ResourceRecords": [{"Value": f'"{value}"'}
                                        for value in values]}}]})

    def get(self, zone, record):
        """The TTL and the values; None: there is no such record."""
        for found in self.api.list_resource_record_sets(
                HostedZoneId=zone)["ResourceRecordSets"]:
            if found["Name"] == f"{record}." and found["Type"] == "TXT":
                return found["TTL"], sorted(
                    one["Value"].strip('"')
                    for one in found["ResourceRecords"])
        return None


@pytest.fixture
def zones(moto):
    return Zones(moto)


@pytest.fixture
def hook(moto):
    return Hook("dns-route53", moto, "--timeout", 10 * PATIENCE)


def test_wildcards_and_bases_side_by_side_with_others_values(hook, zones):
    org, net = zones.create("example.org"), zones.create("example.net")
    records = {f"_acme-challenge.example.{top}": zone
               for top, zone in (("org", org), ("net", net))}
    for record, zone in records.items():
        zones.put(zone, record, "of-others")

    def all_at_once(action):
        for process in [
                hook.begin("--zone-id", zone, action, record, value)
                for record, zone in records.items()
                for value in (f"{VALUE}-base", f"{VALUE}-star")]:
            assert hook.finish(process) == (0, "")

    all_at_once("present")
    for record, zone in records.items():
        assert zones.get(zone, record) == (
            300, sorted(["of-others", f"{VALUE}-base", f"{VALUE}-star"]))
    all_at_once("cleanup")
    for record, zone in records.items():
        assert zones.get(zone, record) == (300, ["of-others"])


def test_the_longest_public_zone_and_the_record_comes_and_goes(hook, zones):
    short = zones.create("one.example")
    long = zones.create("two.one.example")
    zones.create("three.two.one.example", private=True)
    zones.create("o.one.example")           # ends in it, and is not around it
    record = "_acme-challenge.three.two.one.example"
    hook.succeeds("--ttl", 30, "present", f"{record.upper()}.", VALUE)
    hook.succeeds("--ttl", 30, "present", record, VALUE)
    assert zones.get(long, record) == (30, [VALUE])
    assert not zones.get(short, record)
    hook.succeeds("cleanup", record, "another-value")
    assert zones.get(long, record) == (30, [VALUE])
    hook.succeeds("cleanup", f"{record}.", VALUE)
    assert not zones.get(long, record)
    hook.succeeds("cleanup", record, VALUE)

    hook.succeeds("present", record, VALUE, HOSTED_ZONE_ID=short)
    assert zones.get(short, record) == (60, [VALUE])
    hook.succeeds("--zone-id", f"/hostedzone/{short}", "cleanup", record,
                  VALUE, HOSTED_ZONE_ID=long)
    assert not zones.get(short, record)


def test_waits_for_the_name_servers_and_for_a_busy_route_53(
        hook, zones, moto):
    zone = zones.create("busy.example")
    record = "_acme-challenge.busy.example"
    options = ("--zone-id", zone)
    # aws tries three times by itself.
    moto.fail_next("ChangeResourceRecordSets",
                   *["400 PriorRequestNotComplete Still at work"] * 4)
    moto.fail_next("GetChange", "PENDING", "PENDING")
    hook.succeeds(*options, "present", record, VALUE)
    for action in ("GetChange", "ChangeResourceRecordSets"):
        assert not moto.faults_left(action)
    assert zones.get(zone, record) == (60, [VALUE])

    moto.fail_next("GetChange", *["PENDING"] * 99)
    said = hook.fails(*options, "--timeout", 4, "present", record, VALUE)
    assert "raise --timeout and AcmeHookTimeout" in said


def test_an_alias_is_not_changed(hook, tmp_path):
    """moto has none."""
    (tmp_path / "aws").write_text("""#!/bin/sh
case "$*" in *list-resource-record-sets*) ;; *) exit 9 ;; esac
echo '{"ResourceRecordSets": [{"Name": "_acme-challenge.a.example.",
    "Type": "TXT", "AliasTarget": {"HostedZoneId": "Z1",
    "DNSName": "b.example.", "EvaluateTargetHealth": false}}]}'
""")
    (tmp_path / "aws").chmod(0o755)
    for action in "present", "cleanup":
        said = hook.fails("--zone-id", "Z1", action,
                          "_acme-challenge.a.example", VALUE,
                          PATH=f"{tmp_path}:/usr/bin:/bin")
        assert "is an alias of b.example." in said


def test_troubles_are_told(hook, zones):
    zone = zones.create("trouble.example")
    record = "_acme-challenge.trouble.example"
    check_troubles(hook, "present", record, VALUE)
    check_environment(hook, "present", record, VALUE)
    assert not zones.get(zone, record)

    said = hook.fails("present", "_acme-challenge.elsewhere.example", VALUE)
    assert "elsewhere.example: none of the " in said and "create the" in said
    zones.api.create_hosted_zone(Name="trouble.example", CallerReference="2")
    said = hook.fails("cleanup", record, VALUE)
    assert "2 public zones trouble.example" in said and "--zone-id" in said
    said = hook.fails("--zone-id", "Z0NONE", "present", record, VALUE)
    assert "Z0NONE" in said and "HOSTED_ZONE_ID" in said
    for arguments in (("presents", record, VALUE), (record, VALUE),
                      ("present", "a b", VALUE), ("present", record, '"'),
                      ("--zone-id", "x y", "present", record, VALUE)):
        hook.fails(*arguments, code=2)
