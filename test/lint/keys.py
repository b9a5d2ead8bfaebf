#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Keys of the configuration are documented everywhere alike.

The keys of ports are those of `shunt -j help port add`, which prints the table that the switch
parses with; those of the file of shuntd, from its error for an unknown key. Compared with them are
help, manual pages, completion, the tables of doc/configuration.md, and the keys that other
documents use in commands.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TABLES = ROOT / "doc/configuration.md"
ROW = re.compile(r"^\| `([^`]+)` \|(.*)\|$")
COMMAND = re.compile(r"\bport (?:add \S+ (\w+)|set \S+) ((?:[a-z][a-z-]*=\S*\s*)+)")

problems = []


def run(*words):
    return subprocess.run(words, text=True, check=True, stdout=subprocess.PIPE).stdout


def refused(shuntd, text):
    """The words that shuntd suggests instead of an unknown one."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([shuntd, "-c", file.name, "-s", f"{file.name}.sock"], text=True,
                              stderr=subprocess.PIPE)
    return re.search(r"there are (.*)", done.stderr).group(1).split(", ")


def compare(where, expected, told):
    for name in sorted(set(expected) - set(told)):
        problems.append(f"{where}: lacks {name}")
    for name in sorted(set(told) - set(expected)):
        problems.append(f"{where}: has {name}, which does not exist")


def terms(keys, kind):
    return [f"{key['key']}={key['values']}" for key in keys if key["type"] == kind]


def check_help(text, keys):
    for kind in {key["type"] for key in keys}:
        title = f"Keys of {kind} (" if kind else "Keys of every port:"
        part = text.split(title, 1)[-1].split("\nKeys of ")[0]
        compare(f"shunt help port add, {kind}", terms(keys, kind),
                re.findall(r"^  (\S+=\S+)", part, re.MULTILINE))


def check_manual(text, keys):
    for kind in {key["type"] for key in keys}:
        part = text.split(f".SS Type {kind}\n" if kind else ".SS Every type\n", 1)[-1]
        part = re.split(r"^\.S[SH]", part, flags=re.MULTILINE)[0].replace("\\-", "-")
        compare(f"shunt(1), {kind}", terms(keys, kind),
                re.findall(r"^\.B (\S+=\S+)", part, re.MULTILINE))


def check_completion(script, keys):
    """The words that bash itself derives from the script."""
    common = terms(keys, None)
    for kind in {key["type"] for key in keys} - {None}:
        told = run("bash", "-c", f"{script}\n_shunt_keys {kind}").split()
        compare(f"completion, {kind}", terms(keys, kind) + common, told)
    compare("completion, types", {key["type"] for key in keys} - {None},
            run("bash", "-c", f"{script}\n_shunt_types").split())


def table(title):
    """The rows of a table of doc/configuration.md: name and the cells after it."""
    part = TABLES.read_text().split(f"\n## Keys of {title}\n", 1)
    if len(part) < 2:
        problems.append(f"doc/configuration.md: no table of the keys of {title}")
        return []
    rows = [ROW.match(line) for line in part[1].split("\n## ")[0].splitlines()]
    return [(row.group(1), [cell.strip() for cell in re.split(r"(?<!\\)\|", row.group(2))])
            for row in rows if row]


def check_tables(keys, top, fdb):
    for kind in {key["type"] for key in keys}:
        expected = [f"{key['key']}: {key['values']}: {key['default']}"
                    for key in keys if key["type"] == kind]
        rows = table(f"`{kind}` ports" if kind else "every port")
        compare(f"doc/configuration.md, {kind}", expected,
                [f"{name}: {cells[0]}: {cells[1]}".replace("\\|", "|") for name, cells in rows])
    compare("doc/configuration.md", top, [name for name, _ in table("the switch")])
    compare("doc/configuration.md, fdb", fdb, [name for name, _ in table("`fdb`")])


def check_daemon_manual(top, fdb):
    part = (ROOT / "doc/shuntd.8").read_text().split(".SH CONFIGURATION", 1)[-1].split("\n.SH")[0]
    compare("doc/shuntd.8", top + fdb, re.findall(r"^\.TP\n\.B (\S+)", part, re.MULTILINE))


def check_commands(keys):
    """Keys in commands of documents exist."""
    documents = run("git", "-C", str(ROOT), "ls-files", "*.md", "doc/*.8").splitlines()
    for name in documents:
        for kind, words in COMMAND.findall((ROOT / name).read_text()):
            known = {key["key"] for key in keys if kind in ("", key["type"]) or not key["type"]}
            for word in re.findall(r"([a-z][a-z-]*)=", re.sub(r"=\S*", "=", words)):
                if word not in known:
                    problems.append(f"{name}: port {kind or 'set'}: there is no key {word}")


def main():
    build = ROOT / sys.argv[1] / "app"
    shunt, shuntd = str(build / "shunt"), str(build / "shuntd")
    keys = json.loads(run(shunt, "-j", "help", "port", "add"))["commands"][0]["keys"]
    types = refused(shuntd, "ports: {x: {type: nonesuch}}\n")
    top, fdb = refused(shuntd, "nonesuch: 1\n"), refused(shuntd, "fdb: {nonesuch: 1}\n")
    compare("shunt's types", types, {key["type"] for key in keys} - {None})
    check_help(run(shunt, "help", "port", "add"), keys)
    check_manual(run(shunt, "--man"), keys)
    check_completion(run(shunt, "--completion", "bash"), keys)
    check_tables(keys, top, fdb)
    check_daemon_manual(top, fdb)
    check_commands(keys)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
