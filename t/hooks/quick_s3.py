#!/usr/bin/python3 -IS
"""S3 in a twentieth of the time of aws, for tests with hundreds of calls.

Requests are signed (version 4), as the server demands. Run as a program, it
stands for aws: just the commands that publish-s3, fetch-s3 and the tests'
readers call, with credentials from ~/.aws/credentials. What depends on aws
itself, its errors above all, is tested with aws.
"""

import datetime
import hashlib
import hmac
import json
import os
import re
import socket
import sys
import urllib.parse


class Client:
    def __init__(self, endpoint, key_id, secret):
        self.host = endpoint.removeprefix("http://")
        self.key_id = key_id
        self.secret = secret

    def request(self, method, path, query=(), body=b"", headers=()):
        """Status and body."""
        now = datetime.datetime.now(datetime.timezone.utc)
        path = urllib.parse.quote(path, safe="/-_.~")
        query = urllib.parse.urlencode(sorted(query),
                                       quote_via=urllib.parse.quote, safe="")
        digest = hashlib.sha256(body).hexdigest()
        signed = {"host": self.host, "x-amz-content-sha256": digest,
                  "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ")}
        canonical = "\n".join([
            method, path, query, *(f"{k}:{v}" for k, v in signed.items()), "",
            ";".join(signed), digest])
        scope = [now.strftime("%Y%m%d"), "us-east-1", "s3", "aws4_request"]
        key = f"AWS4{self.secret}".encode()
        for text in (*scope, "\n".join([
                "AWS4-HMAC-SHA256", signed["x-amz-date"], "/".join(scope),
                hashlib.sha256(canonical.encode()).hexdigest()])):
            key = hmac.digest(key, text.encode(), "sha256")
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.key_id}/{'/'.join(scope)}, "
            f"SignedHeaders={';'.join(signed)}, Signature={key.hex()}")
        status, self.headers, content = self._exchange("\r\n".join([
            f"{method} {path}{'?' if query else ''}{query} HTTP/1.0",
            *(f"{k}: {v}" for k, v in {**signed, **dict(headers)}.items()),
            f"content-length: {len(body)}", "", ""]).encode() + body)
        if status >= 300:
            code = re.search(rb"<Code>(\w+)</Code>", content)
            raise OSError(f"An error occurred ({code[1].decode()})" if code
                          else f"An error occurred ({status})")
        return content

    def _exchange(self, request):
        """HTTP 1.0, whose answer ends with the connection, without a library:
        to load that takes longer than the rest."""
        host, port = self.host.split(":")
        with socket.create_connection((host, int(port)), 40) as connection:
            connection.sendall(request)
            answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        head, _, content = answer.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        size = int(headers.get("content-length", len(content)))
        if len(content) != size:
            raise OSError("the connection was closed early")
        return int(first.split()[1]), headers, content

    def make(self, bucket):
        self.request("PUT", f"/{bucket}")

    def get(self, bucket, key, headers=()):
        return self.request("GET", f"/{bucket}/{key}", headers=headers)

    def put(self, bucket, key, body, kind="binary/octet-stream"):
        self.request("PUT", f"/{bucket}/{key}", body=body,
                     headers={"Content-Type": kind})

    def delete(self, bucket, key):
        self.request("DELETE", f"/{bucket}/{key}")

    def keys(self, bucket, prefix=""):
        said = self.request("GET", f"/{bucket}", {"list-type": "2",
                                                  "prefix": prefix}.items())
        assert b"<IsTruncated>false" in said
        return [key.decode() for key in re.findall(b"<Key>([^<]*)", said)]


def main(argv):
    options, words = parse(argv)
    with open(os.environ["HOME"] + "/.aws/credentials",
              encoding="ascii") as file:
        secrets = re.findall("= (.*)", file.read())
    client = Client(options.get("endpoint-url")
                    or os.environ["AWS_ENDPOINT_URL"], *secrets)
    bucket, key = options.get("bucket"), options.get("key")
    if words[:2] == ["s3api", "get-object"]:
        limits = {"Range": options["range"]} if "range" in options else {}
        write(words[2], client.get(bucket, key, limits))
    elif words[:2] == ["s3api", "put-object"]:
        client.put(bucket, key, read(options["body"]),
                   options["content-type"])
    elif words[:2] == ["s3api", "list-objects-v2"]:
        print(json.dumps(client.keys(bucket, options["prefix"]) or None))
    elif words[:2] == ["s3", "cp"] and words[2].startswith("s3://"):
        write(words[3], client.get(*split(words[2])))
    elif words[:2] == ["s3", "cp"]:
        bucket, key = split(words[3])
        for name in options["include"] or [""]:
            client.put(bucket, key + name, read(f"{words[2]}/{name}"
                                                if name else words[2]))
    elif words[:2] == ["s3", "rm"]:
        bucket, key = split(words[2])
        for name in options["include"]:
            client.delete(bucket, key + name)
    else:
        raise OSError(f"{words}: not a command of this aws")


def parse(argv):
    """--include may come more than once; some options have no value."""
    options, words = {"include": []}, []
    argv = list(argv)
    while argv:
        word = argv.pop(0)
        if word in ("--recursive", "--only-show-errors", "--quiet"):
            continue
        if word == "--include":
            options["include"].append(argv.pop(0))
        elif word.startswith("--"):
            options[word[2:]] = argv.pop(0)
        else:
            words.append(word)
    return options, words


def split(url):
    return url.removeprefix("s3://").split("/", 1)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
