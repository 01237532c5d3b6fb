"""moto as a program, where it differs from AWS in what the hooks rely on.

It runs in a process of its own with moto in PYTHONPATH: moto_server.py PORT.
A file NAME.faults in its working folder makes the next requests of action NAME
fail, a line each: "400 Throttling Rate exceeded". In GetChange.faults a line
PENDING is no failure: the change is not yet on all name servers, which it
otherwise is at once.
"""

import json
import pathlib
import re
import sys
import threading
from urllib.parse import quote, unquote

from moto import server
from moto.acm.models import (AWSCertificateManagerBackend,
                             AWSValidationException)
from moto.core.responses import BaseResponse
from moto.ec2.exceptions import InvalidPermissionDuplicateError
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.iam.access_control import IAMRequestBase
from moto.route53.exceptions import Route53ClientError
from moto.route53.models import Route53Backend
from moto.route53.responses import Route53


def take_fault(action):
    """The next line of the action's file, once."""
    path = pathlib.Path(f"{action}.faults")
    with take_fault.lock:
        lines = path.read_text().splitlines() if path.exists() else []
        if lines:
            path.write_text("".join(f"{line}\n" for line in lines[1:]))
    return lines[0] if lines else None


take_fault.lock = threading.Lock()


def replaced(owner, name):
    """A decorator: the function takes the method's place, and gets it first."""
    def replace(function):
        old = getattr(owner, name)
        setattr(owner, name,
                lambda *args, **kwargs: function(old, *args, **kwargs))
        return function
    return replace


@replaced(IAMRequestBase, "__init__")
def sign_what_was_sent(old, self, *args, **kwargs):
    """A GET has no body; moto takes the headers for one. And flask has
    decoded the name of an object, which is signed as clients encode it."""
    old(self, *args, **kwargs)
    if self._method == "GET":
        self._data = ""
    if self._service == "s3":
        path, *query = self._path.split("?", 1)
        self._path = "?".join([quote(unquote(path), safe="/~"), *query])


@replaced(BaseResponse, "call_action")
def fail_if_told(old, self):
    action = self._get_action()
    print(action, file=sys.stderr)
    fault = take_fault(action) if action != "GetChange" else None
    if fault:
        status, code, message = fault.split(maxsplit=2)
        if self.headers.get("X-Amz-Target"):
            return int(status), {"status": int(status)}, json.dumps(
                {"__type": code, "message": message})
        return error_reply(status, code, message)
    reply = old(self)
    if isinstance(self, Route53) and reply[0] == 403:
        # moto's form of a refusal is not Route 53's.
        return error_reply(403, *(
            re.search(f"<{tag}>(.*?)</{tag}>", str(reply[2])).group(1)
            for tag in ("Code", "Message")))
    return reply


def error_reply(status, code, message):
    return int(status), {"status": int(status)}, (
        "<ErrorResponse><Error><Type>Sender</Type>"
        f"<Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>1</RequestId></ErrorResponse>")


@replaced(Route53, "change_resource_record_sets")
def change_pending(old, self):
    """A change may take a while to reach the name servers."""
    reply = old(self)
    return reply.replace("INSYNC", "PENDING") \
        if pathlib.Path("GetChange.faults").exists() else reply


@replaced(Route53, "get_change")
def still_pending(old, self):
    reply = old(self)
    return reply.replace("INSYNC", take_fault("GetChange") or "INSYNC")


changing = threading.Lock()


def invalid_batch(message):
    return Route53ClientError("InvalidChangeBatch", message)


@replaced(Route53Backend, "change_resource_record_sets")
def change_all_or_nothing(old, self, zoneid, change_list):
    """One batch at a time; what is deleted is named as it is, what is created
    is not there."""
    with changing:
        zone = self.get_hosted_zone(zoneid)
        there = {(found.name, found.type_): (str(found.ttl),
                                             sorted(found.records))
                 for found in zone.rrsets}
        for change in change_list:
            wanted = change["ResourceRecordSet"]
            name = wanted["Name"].rstrip(".") + "."
            key = (name, wanted["Type"])
            if change["Action"] == "CREATE" and key in there:
                raise invalid_batch(
                    f"[Tried to create resource record set [name='{name}', "
                    f"type='{key[1]}'] but it already exists]")
            if change["Action"] != "DELETE":
                there[key] = None
                continue
            if key not in there:
                raise invalid_batch(
                    f"[Tried to delete resource record set [name='{name}', "
                    f"type='{key[1]}'] but it was not found]")
            if there.pop(key) != (wanted.get("TTL"), values(wanted)):
                raise invalid_batch(
                    f"[Tried to delete resource record set [name='{name}', "
                    f"type='{key[1]}'] but the values provided do not match "
                    "the current values]")
        zone.rr_changes.clear()
        zone.rr_changes.has_insert_or_update = lambda _: True
        old(self, zoneid, change_list)


def values(record_set):
    records = (record_set.get("ResourceRecords") or {}).get(
        "ResourceRecord", [])
    if not isinstance(records, list):
        records = [records]
    return sorted(record["Value"] for record in records)


@replaced(AWSCertificateManagerBackend, "import_certificate")
def import_keeps_tags(old, self, certificate, private_key, chain, arn, tags):
    """A certificate that is imported again keeps its tags and takes none."""
    before = self._certificates.get(arn)
    if arn and tags:
        raise AWSValidationException(
            "Tagging is not permitted on re-import.")
    arn = old(self, certificate, private_key, chain, arn, tags)
    if before:
        self._certificates[arn].tags = before.tags
    return arn


@replaced(SecurityGroupBackend, "authorize_security_group_ingress")
def description_makes_no_rule(old, self, group_name_or_id, ip_protocol,
                              from_port, to_port, ip_ranges, **kwargs):
    """Two rules that differ in their descriptions only are one."""
    group = self.get_security_group_by_name_or_id(
        group_name_or_id, kwargs.get("vpc_id"))
    for rule in group.ingress_rules if group else ():
        if (rule.ip_protocol, str(rule.from_port), str(rule.to_port)) == \
                (ip_protocol, str(from_port), str(to_port)) and \
                {cidr(one) for one in rule.ip_ranges} & \
                {cidr(one) for one in ip_ranges}:
            raise InvalidPermissionDuplicateError()
    return old(self, group_name_or_id, ip_protocol, from_port, to_port,
               ip_ranges, **kwargs)


def cidr(one):
    return one.get("CidrIp") or one.get("CidrIpv6")


if __name__ == "__main__":
    server.main(["-H", "127.0.0.1", "-p", sys.argv[1]])
