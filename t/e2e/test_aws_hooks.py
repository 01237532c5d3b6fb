"""A wildcard by Route 53, imported into ACM, behind a security group, told by
SNS: the scripts of conf/hooks where they are at home, run by httpd's keeper.

moto has no DNS: what its Route 53 has, the DNS of pebble gets from the test.
"""

import json
import pathlib
import threading

from cryptography import x509

from lib.howto import Howto
from lib.moto import Moto
from lib.wait import PATIENCE, wait_until

HOOKS = pathlib.Path(__file__).resolve().parents[2] / "conf" / "hooks"

RECORD = "_acme-challenge.example.org"

TIMEOUT = 3 * PATIENCE      # aws computes, and others do at the same time


class NameServers:
    """Those of Route 53: they have what its API has, a moment later."""

    def __init__(self, api, zone, names):
        self.api = api
        self.zone = zone
        self.names = names
        self.most = 0               # values at the record at one time
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.follow)

    def start(self):
        self.thread.start()
        return self

    def end(self):
        self.ended.set()
        self.thread.join()

    def values(self):
        sets = self.api.list_resource_record_sets(
            HostedZoneId=self.zone)["ResourceRecordSets"]
        return sorted(record["Value"].strip('"') for found in sets
                      if found["Name"] == f"{RECORD}."
                      for record in found["ResourceRecords"])

    def follow(self):
        before = []
        while not self.ended.wait(0.5):
            now = self.values()
            if now != before:
                self.names.clear_txt(RECORD)
                for value in now:
                    self.names.set_txt(RECORD, value)
            self.most = max(self.most, len(now))
            before = now


def hook(cloud, folder, name, *options, environment=None):
    """A script where aws, its credentials and this cloud are as usual."""
    path = folder / name
    path.write_text("#!/bin/sh\n" + "".join(
        f"export {name}='{value}'\n"
        for name, value in (environment or cloud.environment).items())
        + " ".join(["exec", str(HOOKS / name), "--endpoint-url",
                    cloud.endpoint, *options, '"$@"\n']))
    path.chmod(0o755)
    return path


def test_a_wildcard_on_ec2(netns, site):
    netns.resolver("127.0.0.1")
    names = site.challenge_dns(port=53)
    cloud = Moto(site.folder)
    site.closing.callback(cloud.end)
    cloud.start()
    sns, acm, ec2 = (cloud.client(name) for name in ("sns", "acm", "ec2"))
    zone = cloud.client("route53").create_hosted_zone(
        Name="example.org", CallerReference="1", HostedZoneConfig={
            "Comment": ""})["HostedZone"]["Id"].rpartition("/")[2]
    servers = NameServers(cloud.client("route53"), zone, names)
    site.closing.callback(servers.end)
    servers.start()
    topic = sns.create_topic(Name="certificates")["TopicArn"]
    group = ec2.create_security_group(
        GroupName="web", Description="of a test")["GroupId"]
    firewall = hook(cloud, site.folder, "firewall-aws-sg", "--group", group)

    server = site.server(site.ca(dns=names.address))
    server.part("hooks", f"""
AcmeChallenges dns-01
AcmeHook pre {firewall} open
AcmeHook post {firewall} close
AcmeHook deploy {hook(cloud, site.folder, "import-acm")}
AcmeHook notify {hook(cloud, site.folder, "notify-sns")} --topic {topic}
""")
    command = site.folder / "dns-route53"
    page = Howto("wildcard-with-route-53.md", server, {
        "/usr/share/mod_acme/hooks/dns-route53": command})
    hook(cloud, site.folder, "dns-route53",
         environment=cloud.user("dns", policy=page.take("json")))
    page.take("ini")
    server.start()
    page.run()
    page.configure()
    page.run()
    page.end()

    served = server.wait_valid("example.org", timeout=TIMEOUT)
    assert served.names == ("*.example.org", "example.org")
    assert servers.most == 2
    server.wait_log("import-acm: example.org: imported as ", timeout=TIMEOUT)
    found, = acm.list_certificates()["CertificateSummaryList"]
    pem = acm.get_certificate(CertificateArn=found["CertificateArn"])
    assert x509.load_pem_x509_certificate(
        pem["Certificate"].encode()).serial_number == served.serial

    def opened():
        rules = ec2.describe_security_group_rules(Filters=[
            {"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
        return [rule for rule in rules if not rule["IsEgress"]]

    for condition, what in (
            (lambda: not servers.values(), "the records are removed"),
            (lambda: not opened(), "the port is closed"),
            (lambda: cloud.published(topic), "SNS tells of it")):
        wait_until(condition, what, TIMEOUT, look=1)
    assert "AuthorizeSecurityGroupIngress" in cloud.actions
    told = json.loads(*cloud.published(topic))
    assert json.loads(told["sqs"])["event"] == "installed"
    assert cloud.secret not in server.log_text
