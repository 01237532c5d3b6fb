"""import-acm: one ARN over all renewals, in each region."""

import subprocess

import pytest

from aws_hooks import Hook, check_troubles

REGIONS = ("us-east-1", "eu-central-1")


@pytest.fixture
def hook(moto):
    return Hook("import-acm", moto)


def issue(folder, key="ec", name="acm.example", end=""):
    """A live folder with a new certificate, and its serial number."""
    folder.mkdir(exist_ok=True)
    algorithm = {"ec": ["-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256"],
                 "rsa": ["-newkey", "rsa:2048"]}[key]
    for subject, issuer, out in (("Test CA", [], "chain"), (name, [
            "-CA", folder / f"chain{end}.pem", "-CAkey",
            folder / "chain.key"], "cert")):
        subprocess.run(
            ["openssl", "req", "-x509", *algorithm, "-noenc", "-subj",
             f"/CN={subject}", "-days", "30", *issuer, "-keyout",
             folder / ("chain.key" if out == "chain" else
                       f"privkey{end}.pem"),
             "-out", folder / f"{out}{end}.pem"],
            check=True, capture_output=True)
    return (folder / f"cert{end}.pem").read_text()


def held(cloud, region):
    """{ARN: certificate} of what a region has."""
    acm = cloud.client("acm", region)
    return {one["CertificateArn"]: acm.get_certificate(
        CertificateArn=one["CertificateArn"])["Certificate"]
        for one in acm.list_certificates()["CertificateSummaryList"]}


def test_the_same_arn_over_three_renewals_in_two_regions(
        hook, moto, tmp_path):
    live = tmp_path / "acm.example"
    before = {region: set(held(moto, region)) for region in REGIONS}
    arns = None
    for renewal in range(4):
        certificate = issue(live)
        # Time: in both regions in the first and the last round.
        regions = REGIONS if renewal in (0, 3) else REGIONS[:1]
        said = hook.succeeds(
            *(word for region in regions for word in ("--region", region)),
            "--tag", "team=web", ACME_EVENT="deploy", ACME_ID="acm.example",
            ACME_LIVE=str(live), RENEWED_LINEAGE=str(live))
        now = dict(arns or {})
        for region in regions:
            all_of_it = held(moto, region)
            arn, = set(all_of_it) - before[region]
            assert all_of_it[arn].strip() == certificate.strip()
            assert arn in said and f":{region}:" in arn
            now[region] = arn
        assert renewal == 0 or now == arns
        arns = now
    tags = moto.client("acm").list_tags_for_certificate(
        CertificateArn=arns["us-east-1"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "mod_acme": "acm.example", "team": "web"}


def test_a_fixed_arn_and_a_second_key_type(hook, moto, tmp_path):
    live = tmp_path / "two.example"
    issue(live, name="two.example")
    acm = moto.client("acm")
    arn = acm.import_certificate(
        Certificate=(live / "cert.pem").read_bytes(),
        PrivateKey=(live / "privkey.pem").read_bytes(),
    )["CertificateArn"]
    certificate = issue(live, name="two.example")
    rsa = issue(live, "rsa", "two.example", "-rsa")
    hook.succeeds("--arn", arn, RENEWED_LINEAGE=str(live))
    assert held(moto, "us-east-1")[arn].strip() == certificate.strip()
    said = hook.succeeds("--key-type", "rsa", RENEWED_LINEAGE=str(live))
    other = said.split()[-1]
    assert other != arn
    assert held(moto, "us-east-1")[other].strip() == rsa.strip()


def test_troubles_are_told(hook, moto, tmp_path):
    live = tmp_path / "bad.example"
    issue(live)
    check_troubles(hook, ACME_LIVE=str(live))
    secret = (live / "privkey.pem").read_text()

    # One region fails, and the other has the certificate.
    moto.fail_next("ImportCertificate", "400 ValidationException The private "
                   "key is not supported.")
    code, said = hook("--region", "us-east-1", "--region", "eu-west-1",
                      ACME_LIVE=str(live), ACME_ID="bad.example")
    assert code == 1 and secret not in said
    assert "AcmeKeyTypes" in said and "bad.example: us-east-1: " in said
    assert len(held(moto, "eu-west-1")) == 1

    said = hook.fails("--arn", "arn:aws:acm:us-east-1:123456789012:"
                      "certificate/00000000-0000", ACME_LIVE=str(live))
    assert "correct --arn" in said
    said = hook.fails("--key-type", "rsa", ACME_LIVE=str(live))
    assert "cert-rsa.pem: cannot be read" in said
    assert "AcmeHook deploy" in hook.fails(code=2)
    for arguments in (("--arn", "x"), ("--region", "-x"), ("--tag", "x")):
        hook.fails(*arguments, code=2, ACME_LIVE=str(live))
