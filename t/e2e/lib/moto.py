"""A cloud that speaks AWS's own protocols and checks signatures: moto.

S3, Route 53, SNS, SQS, ACM, EC2, IAM, in memory. Its first actions need no
credentials: they make a user who may do everything, and from then on a
request must be signed with a known secret, and its user's policy must allow
it. moto comes from Debian trixie, its dependencies from this Debian.
"""

import json
import pathlib
import subprocess
import urllib.parse
import urllib.request
import xml.etree.ElementTree as xml

from lib import sid
from lib.ports import accepts, free_port
from lib.process import Process
from lib.wait import PATIENCE, wait_until

PACKAGE = ("python3-moto", "usr/lib/python3/dist-packages/moto/server.py",
           "trixie")

SERVER = pathlib.Path(__file__).with_name("moto_server.py")
AWS_SERVER = SERVER.with_name("aws_server.py")

REGION = "us-east-1"

PATH = "/usr/bin:/bin"          # Debian's aws, not one of a developer's

BOOTSTRAP_ACTIONS = 3


class Moto:
    """
    environment: PATH and HOME, in which .aws/credentials is the user's, as
    the commands of an administrator find it; and no variable with a secret.
    The first aws of that PATH is a fork of one that is loaded already; plain
    is the same with Debian's only, which takes seconds.
    """

    def __init__(self, folder, name="moto"):
        self.port = free_port()
        self.folder = folder / name
        self.log = self.folder / "log"
        self.server = self.aws_server = None
        self.key_id = self.secret = None

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        packages = sid.program(*PACKAGE).parents[1]
        self.server = Process(
            ["/usr/bin/python3", "-P", SERVER, str(self.port)], self.log,
            cwd=self.folder,
            env={"PATH": PATH, "PYTHONPATH": str(packages),
                 "INITIAL_NO_AUTH_ACTION_COUNT": str(BOOTSTRAP_ACTIONS)})
        self.aws_server = Process(
            ["/usr/bin/python3", "-P", AWS_SERVER, self.folder], self.log,
            env={"PATH": PATH, "LANG": "C.UTF-8"})
        wait_until(self._listens, "moto listens, and aws is loaded")
        self.key_id, self.secret = self._make_user()
        self.environment = self.home("home", self.key_id, self.secret)
        self.plain = {**self.environment, "PATH": PATH}
        return self

    def end(self):
        for server in (self.server, self.aws_server):
            if server:
                server.end()

    stop = end

    # Who asks

    def home(self, name, key_id, secret, region=REGION):
        """The environment of somebody with these credentials."""
        folder = self.folder / name / ".aws"
        folder.mkdir(parents=True)
        (folder / "credentials").write_text(
            f"[default]\naws_access_key_id = {key_id}\n"
            f"aws_secret_access_key = {secret}\n")
        (folder / "config").write_text(f"[default]\nregion = {region}\n")
        return {"PATH": f"{self.folder}:{PATH}", "LANG": "C.UTF-8",
                "HOME": str(folder.parent), "AWS_EC2_METADATA_DISABLED": "true"}

    def user(self, name, *actions, policy=None):
        """The environment of a new user who may do these only; policy: all
        of it, in JSON."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(
            UserName=name, PolicyName=name,
            PolicyDocument=policy or _policy(*actions))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return self.home(name, key["AccessKeyId"], key["SecretAccessKey"])

    def fail_next(self, action, *faults):
        """Each makes one request of that action fail: "400 Throttling ..."."""
        (self.folder / f"{action}.faults").write_text(
            "".join(f"{fault}\n" for fault in faults))

    def faults_left(self, action):
        path = self.folder / f"{action}.faults"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def actions(self):
        """What was asked, by anyone: each once."""
        return set(self.log.read_text().split())

    def published(self, topic):
        """The messages of a topic, as they were published."""
        with _open(f"{self.endpoint}/moto-api/data.json") as reply:
            topics = json.load(reply)["sns"]["Topic"]
        found, = [one for one in topics if one["arn"] == topic]
        return [message for _, message, *_ in found["sent_notifications"]]

    # Its API, signed by the user who may do everything

    def aws(self, *args, environment=None):
        """What the command line client printed, parsed; client() is faster."""
        done = subprocess.run(
            [self.folder / "aws", "--endpoint-url", self.endpoint,
             "--output", "json", *map(str, args)], env=environment or self.environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False)
        assert done.returncode == 0, f"aws {args}: {done.stderr.strip()}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def client(self, service, region=REGION):
        """boto3's."""
        import boto3            # Debian's is slow to load, and not for all
        from botocore.config import Config

        return boto3.session.Session().client(
            service, region_name=region, endpoint_url=self.endpoint,
            aws_access_key_id=self.key_id, aws_secret_access_key=self.secret,
            config=Config(proxies={}))

    def _listens(self):
        assert self.server.running(), \
            f"moto ended:\n{self.log.read_text()[-2000:]}"
        assert self.aws_server.running(), \
            f"aws ended:\n{self.log.read_text()[-2000:]}"
        return accepts(self.port) and (self.folder / "aws").exists()

    def _make_user(self):
        self._unsigned("CreateUser", UserName="admin")
        self._unsigned("PutUserPolicy", UserName="admin", PolicyName="all",
                       PolicyDocument=_policy("*"))
        key = self._unsigned("CreateAccessKey", UserName="admin")
        return (key.find(".//{*}AccessKeyId").text,
                key.find(".//{*}SecretAccessKey").text)

    def _unsigned(self, action, **fields):
        """Which service is asked stands in the signature, though unchecked."""
        request = urllib.request.Request(
            self.endpoint, urllib.parse.urlencode(
                {"Action": action, "Version": "2010-05-08", **fields}
            ).encode(),
            {"Authorization": "AWS4-HMAC-SHA256 Credential=nobody/20200101/"
             f"{REGION}/iam/aws4_request, SignedHeaders=host, Signature=0"})
        with _open(request) as reply:
            return xml.fromstring(reply.read())


def _policy(*actions):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": "*"}]})


def _open(request):
    """No proxy of the environment."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(request, timeout=PATIENCE)
