"""firewall-aws-sg: what it opened is closed, and what was open stays open."""

import pytest

from aws_hooks import Hook, check_troubles


@pytest.fixture
def hook(moto):
    return Hook("firewall-aws-sg", moto)


class Group:
    def __init__(self, cloud, name):
        self.ec2 = cloud.client("ec2")
        self.id = self.ec2.create_security_group(
            GroupName=name, Description="of a test")["GroupId"]

    def allow(self, port, cidr, **more):
        self.ec2.authorize_security_group_ingress(
            GroupId=self.id, IpPermissions=[{
                "IpProtocol": "tcp", "FromPort": port, "ToPort": port,
                "IpRanges": [{"CidrIp": cidr, **more}]}])

    def open(self):
        """{(port, network)}"""
        # By rules: describe_security_groups of moto merges them for good.
        rules = self.ec2.describe_security_group_rules(Filters=[
            {"Name": "group-id", "Values": [self.id]}])["SecurityGroupRules"]
        return {(rule["FromPort"], rule.get("CidrIpv4") or rule["CidrIpv6"])
                for rule in rules if not rule["IsEgress"]}


def test_opened_and_closed_and_others_rules_stay(hook, moto):
    group = Group(moto, "web")
    others = {(443, "0.0.0.0/0"), (80, "192.0.2.0/24")}
    for port, cidr in others:
        group.allow(port, cidr, Description="mod_acme is not alone")
    at = ("--group", group.id)
    hook.succeeds(*at, "--ipv6", "open")
    hook.succeeds(*at, "--ipv6", "open")
    assert group.open() == others | {(80, "0.0.0.0/0"), (80, "::/0")}
    hook.succeeds(*at, "--port", 8080, "--cidr", "198.51.100.0/24", "open")
    hook.succeeds(*at, "close")
    assert group.open() == others | {(8080, "198.51.100.0/24")}
    hook.succeeds(*at, "--port", 8080, "close")
    hook.succeeds(*at, "--port", 8080, "close")
    assert group.open() == others


def test_what_was_open_before_stays_open(hook, moto):
    group = Group(moto, "open")
    group.allow(80, "0.0.0.0/0")
    hook.succeeds("--group", group.id, "open")
    hook.succeeds("--group", group.id, "close")
    assert group.open() == {(80, "0.0.0.0/0")}


def test_nothing_is_opened_that_cannot_be_closed(hook, moto):
    group = Group(moto, "blind")
    blind = moto.user("blind", "ec2:AuthorizeSecurityGroupIngress",
                      "ec2:RevokeSecurityGroupIngress")
    said = hook.fails("--group", group.id, "open", environment=blind)
    assert "policy of these credentials must allow" in said
    assert not group.open()


def test_close_tries_again_while_ec2_is_busy(hook, moto):
    group = Group(moto, "busy")
    hook.succeeds("--group", group.id, "open")
    # aws tries three times by itself.
    for action in ("DescribeSecurityGroupRules",
                   "RevokeSecurityGroupIngress"):
        moto.fail_next(action, *["503 Unavailable Come again"] * 4)
    hook.succeeds("--group", group.id, "close")
    for action in ("DescribeSecurityGroupRules",
                   "RevokeSecurityGroupIngress"):
        assert not moto.faults_left(action)
    assert not group.open()


def test_troubles_are_told(hook, moto):
    group = Group(moto, "trouble")
    check_troubles(hook, "--group", group.id, "open")
    assert not group.open()
    said = hook.fails("--group", "sg-0123456789abcdef0", "open")
    assert "correct --group" in said, said
    for arguments in (("open",), ("--group", "x", "open"),
                      ("--group", group.id, "opens"),
                      ("--group", group.id, "--port", "0", "open"),
                      ("--group", group.id, "--cidr", "10.0.0.1/8", "open")):
        hook.fails(*arguments, code=2)
