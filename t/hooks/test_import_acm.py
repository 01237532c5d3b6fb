"""import-acm: one ARN over all renewals, in each region."""

import subprocess

import pytest

from aws_hooks import Hook, check_troubles

REGIONS = ("us-east-1", "eu-central-1")


@pytest.fixture
def hook(moto):
    return Hook("import-acm", moto)


def issue(folder, key="ec", name="acm.example", end="", days=30):
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
             f"/CN={subject}", "-days", str(days), *issuer, "-keyout",
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


def wrapped_aws(cloud, folder, script):
    """The PATH with an aws that does this first, with its command in $*."""
    folder.mkdir()
    (folder / "aws").write_text(f"#!/bin/sh\n{script}\n"
                                f'exec {cloud.folder}/aws "$@"\n')
    (folder / "aws").chmod(0o755)
    return f"{folder}:{cloud.environment['PATH']}"


def test_none_is_created_twice_and_none_mixed(hook, moto, tmp_path):
    """The index of tags lags; meanwhile the live link is replaced."""
    live = tmp_path / "live.example"
    certificates = [issue(tmp_path / number, name="live.example")
                    for number in "12"]
    path = wrapped_aws(moto, tmp_path / "bin", f"""
case "$*" in
*get-resources*)
    echo '{{"ResourceTagMappingList": []}}'
    ln -sfn {tmp_path}/2 {live}
    exit ;;
*import-certificate*)
    echo "$AWS_MAX_ATTEMPTS" >>{tmp_path}/attempts ;;
esac""")
    before = set(held(moto, "us-east-1"))
    for names in "", "live.example", "www.live.example LIVE.example":
        live.unlink(missing_ok=True)
        live.symlink_to(tmp_path / "1")
        hook.succeeds(PATH=path, ACME_LIVE=str(live), ACME_NAMES=names)
        now = held(moto, "us-east-1")
        arn, = set(now) - before
        assert now[arn].strip() == certificates[0].strip()
    # The one that creates is asked for once; the others replace.
    assert (tmp_path / "attempts").read_text() == "1\n\n\n"


def test_of_several_the_one_in_use_is_replaced(hook, moto, tmp_path):
    """One that was there before is adopted by its tag."""
    acm = moto.client("acm")
    live = tmp_path / "several.example"

    def given(days):
        issue(live, name="several.example", days=days)
        return acm.import_certificate(
            Certificate=(live / "cert.pem").read_bytes(),
            PrivateKey=(live / "privkey.pem").read_bytes(),
            Tags=[{"Key": "mod_acme", "Value": "several.example"}],
        )["CertificateArn"]

    first, last, second = given(30), given(60), given(40)
    certificate = issue(live, name="several.example", days=35)
    path = wrapped_aws(moto, tmp_path / "bin", f"""
case "$*" in *describe-certificate*{first}*)
    exec {moto.folder}/aws "$@" | sed 's/"InUseBy": .*\\[\\]/"InUseBy": ["x"]/'
    exit ;;
esac""")
    for arn, how in ((last, {}), (first, {"PATH": path})):
        said = hook.succeeds(ACME_LIVE=str(live), **how)
        assert f"3 certificates have the tag mod_acme=several.example; {arn}" \
            in said
        assert f"replaced {arn}" in said and second in said
        assert held(moto, "us-east-1")[arn].strip() == certificate.strip()


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
