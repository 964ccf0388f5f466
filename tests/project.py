"""A small project that says of itself what it does: code in three languages, documentation, and git's history."""

from __future__ import annotations

import subprocess
from pathlib import Path

CLIENT = '''\
# Copyright 2020 Somebody. Licensed under the Apache License, Version 2.0.
"""A client that keeps its connections open between requests."""

import time

MOST = 3  # the largest number of attempts


class Client:
    """Send requests to one host and reuse the sockets.

    Args:
        host: where to connect to
    """

    def __init__(self, host):
        self.host = host

    def fetch(self, path):
        """Download a document, trying again when the network fails. Returns bytes."""
        for attempt in range(MOST):
            # wait twice as long after every failed attempt, so that a busy server recovers
            time.sleep(2**attempt)
            self.send(path)

    def close(self):
        # TODO: give the sockets back to the pool when nobody needs them
        self.host = None


def short(x):
    """Short."""
    return x
'''
CACHE = """\
/*
 * Copyright 2021 Somebody
 */
package cache

// Evict removes the entries that nobody has asked for in a long time.
// Entries that are pinned stay.
func Evict(now int) {
	// nolint:errcheck // the error does not matter to anybody here
	drop(now)
}

/* 从磁盘读取缓存的条目，过期的会被跳过 */
func Load(path string) {
	read(path)
}
"""
GUIDE = """\
# Guide

Some words to begin with, which are about the client that this package has, about the cache that it keeps on the disk, and
about everything else that there is to know of them both before one begins to make use of it in a program of one's own,
which is what this guide is for, and how long it takes to read: not long at all, as these words show to whoever reads on.

## How to choose a good timeout

The right value depends on how far the server is away and how long its answers take to make. Measure first. Then take
the ninety-ninth percentile, and add a second to that for good luck, as everybody does.

## Proxies

Requests go through the proxy that the environment names unless the host is on the list of exceptions.

Set the variable before the program starts. It is read only once, when the first client is made, and a change later on
has no effect on the clients that exist already. This has surprised many people.
"""
TEST = '''\
def test_that_the_client_works_as_it_should():
    """Check that documents are downloaded completely and in the right order."""
'''


def make(root: Path) -> Path:
    """Write the project's files."""
    for name, text in (
        ("src/client.py", CLIENT),
        ("src/cache.go", CACHE),
        ("docs/guide.md", GUIDE),
        ("tests/test_client.py", TEST),
        ("CHANGELOG.md", "# Changelog\n\n## 1.2\n\nThe client now follows redirects to other hosts.\n" * 5),
        (".gitignore", "build/\n"),
        ("build/made.py", '"""Tell the world about something that was generated."""\n'),
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


def git(root: Path, *arguments: str) -> None:
    """Run git in the project, with none of the machine's settings."""
    identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", root, *identity, *arguments], check=True, capture_output=True)


def commit(root: Path, message: str, *paths: str) -> None:
    """Change files and commit that."""
    for path in paths:
        with (root / path).open("a") as file:
            file.write("\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "--no-verify", "--allow-empty", "-m", message)
