"""notify-sns: text for people, JSON for programs, chosen events."""

import json

import pytest

from aws_hooks import Hook, check_troubles


@pytest.fixture
def hook(moto):
    return Hook("notify-sns", moto)


class Queue:
    """A topic and who listens to it: an SQS queue."""

    def __init__(self, cloud, name):
        self.sqs = cloud.client("sqs")
        sns = cloud.client("sns")
        self.topic = sns.create_topic(Name=name)["TopicArn"]
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        sns.subscribe(
            TopicArn=self.topic, Protocol="sqs",
            Endpoint=f"arn:aws:sqs:us-east-1:123456789012:{name}")

    def take(self):
        """What was published since."""
        messages = self.sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message[
                "ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]


def test_an_event_is_delivered_when_it_is_chosen(hook, moto):
    queue = Queue(moto, "certificates")
    options = ("--topic", queue.topic, "--events", "failed,stuck")
    hook.succeeds(*options, ACME_EVENT="installed", ACME_ID="www.example.org")
    assert queue.take() == []

    event = {"event": "failed", "id": "b\u00fccher.example", "names": ["a"],
             "detail": "file:///etc/passwd: \"no\"\nsuch"}
    hook.succeeds(
        *options, given=json.dumps(event), ACME_EVENT="failed",
        ACME_ID=event["id"] + "x" * 200, ACME_NAMES="a b",
        ACME_PROBLEM="caa-forbidden", ACME_DETAIL=event["detail"])
    message, = queue.take()
    assert json.loads(message["Message"]) == event
    subject = message["Subject"]
    assert subject.startswith("b?cher.example") and subject.isascii()
    assert len(subject) == 100
    assert message["MessageAttributes"]["event"]["Value"] == "failed"

    # No JSON on standard input, as when it is tried by hand.
    hook.succeeds(*options, ACME_EVENT="stuck", ACME_DETAIL="test")
    message, = queue.take()
    assert message["Subject"] == "httpd: an administrator is needed"
    assert json.loads(message["Message"]) == {
        "event": "stuck", "detail": "test"}


def test_an_event_that_is_too_long_is_shortened(hook, moto):
    queue = Queue(moto, "long")
    names = [f"{i}.{'n' * 180}.example" for i in range(250)]
    event = {"event": "failed", "id": "a", "names": names, "detail": "x" * 50}
    said = hook.succeeds("--topic", queue.topic, given=json.dumps(event),
                         ACME_EVENT="failed", ACME_NAMES=" ".join(names),
                         ACME_DETAIL='"\u20ac' * 9000)
    assert "shortened: names" in said
    message, = queue.take()
    got = json.loads(message["Message"])
    assert got.pop("cut") == ["names"]
    shown = got.pop("names")
    assert len(shown) > 40 and shown == names[:len(shown)]
    assert got == {"event": "failed", "id": "a", "detail": "x" * 50}


def test_people_get_text(hook, moto):
    """As the topic has it: moto's mail subscriptions deliver nothing."""
    topic = moto.client("sns").create_topic(Name="mail")["TopicArn"]
    hook.succeeds("--topic", topic, ACME_EVENT="expiring",
                  ACME_ID="www.example.org", ACME_NAMES="www.example.org",
                  ACME_NOT_AFTER="2026-12-24T00:00:00Z",
                  ACME_PROBLEM="rate-limited", ACME_DETAIL="too\nmany")
    text = json.loads(moto.published(topic)[-1])["default"]
    assert text.startswith("www.example.org: the certificate expires soon")
    assert "\nValid until: 2026-12-24T00:00:00Z\nProblem: rate-limited\n" \
        "Detail: too many\n" in text


def test_troubles_are_told(hook, moto):
    topic = moto.client("sns").create_topic(Name="trouble")["TopicArn"]
    check_troubles(hook, "--topic", topic, ACME_EVENT="failed")
    said = hook.fails("--topic", topic + "-none", ACME_EVENT="failed")
    assert "trouble-none" in said and "correct --topic" in said
    assert "AcmeHook notify" in hook.fails("--topic", topic, code=2)
    for arguments in ((), ("--topic", "x"),
                      ("--topic", topic, "--events", "fail")):
        hook.fails(*arguments, code=2, ACME_EVENT="failed")
