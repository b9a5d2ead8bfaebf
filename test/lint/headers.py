#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Pages of the public headers, by doxygen: headers.py [FOLDER]. Its warnings are errors.

A header is public if a module other than its own includes it. In public headers

- every function, type and macro has a comment,
- functions document their result and each parameter, apart from pointers to structures and
  arrays of a fixed size, which their types describe,
- the comment of the header lists the threads that may call its functions.
"""
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
OBJECT = re.compile(r"(const )?(struct \w+|json_t) \*(const )?")
QUALIFIERS = {"static", "inline", "extern"}


def sources(*patterns):
    return [path.relative_to(ROOT) for pattern in patterns for path in ROOT.glob(pattern)]


def module(path):
    """A folder of lib; all drivers are one."""
    return path.parts[:1] if path.parts[0] == "drivers" else path.parts[:-1]


def public_headers():
    """Headers of lib and drivers that files of another module include, tests left out."""
    headers = {str(path.relative_to(path.parts[0])): path
               for path in sources("lib/**/*.h", "drivers/**/*.h")}
    found = set()
    for path in sources("lib/**/*.[ch]", "drivers/**/*.[ch]", "app/**/*.[ch]"):
        for name in INCLUDE.findall((ROOT / path).read_text()):
            if name in headers and module(headers[name]) != module(path):
                found.add(headers[name])
    return sorted(found)


def doxygen(headers, folder):
    """[problem]; the pages are in folder/html, their contents in folder/xml"""
    settings = (ROOT / "doc/Doxyfile").read_text() + f"""
INPUT = doc/glossary.md {" ".join(map(str, headers))}
OUTPUT_DIRECTORY = "{folder}"
"""
    done = subprocess.run(["doxygen", "-"], cwd=ROOT, input=settings, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode == 0:
        return []
    return done.stdout.replace(f"{ROOT}/", "").splitlines() or [f"doxygen: {done.returncode}"]


def text(element):
    return "".join(element.itertext()).strip() if element is not None else ""


def documented(element):
    return text(element.find("briefdescription")) or text(element.find("detaileddescription"))


def function_problems(member):
    told = {name.text for name in member.iter("parametername")}
    for param in member.findall("param"):
        name = text(param.find("declname"))
        sized = re.fullmatch(r"\[\w+\]", text(param.find("array")))
        if name and name not in told and not sized and not OBJECT.fullmatch(text(param.find("type"))):
            yield f"what is '{name}'?"
    if set(text(member.find("type")).split()) - QUALIFIERS != {"void"}:
        if not any(sect.get("kind") == "return" for sect in member.iter("simplesect")):
            yield "what is returned?"


def member_problems(member):
    kind, name = member.get("kind"), text(member.find("name"))
    # A field, or an enumeration of limits, whose name is empty or begins with @.
    if kind == "variable" or not name or "@" in name:
        return
    if not documented(member):
        yield "no comment"
    elif kind == "function":
        yield from function_problems(member)


def check(root):
    """Problems of one file or type that doxygen has read."""
    compound = root.find("compounddef")
    kind, name = compound.get("kind"), text(compound.find("compoundname"))
    if kind == "struct" and "." not in name and not documented(compound):
        where = compound.find("location").attrib
        yield f"{where['file']}:{where['line']}: {name}: no comment"
    if kind != "file":
        return
    functions = 0
    for member in compound.iter("memberdef"):
        where = member.find("location").attrib
        functions += member.get("kind") == "function"
        for problem in member_problems(member):
            yield f"{where['file']}:{where['line']}: {text(member.find('name'))}: {problem}"
    if functions and "hread safety" not in text(compound.find("detaileddescription")):
        yield f"{compound.find('location').get('file')}: no 'Thread safety' in its first comment"


def main():
    with tempfile.TemporaryDirectory() as folder:
        headers = public_headers()
        problems = doxygen(headers, folder)
        for path in sorted(Path(folder).glob("xml/*_8h.xml")) + \
                sorted(Path(folder).glob("xml/struct*.xml")):
            problems += check(ElementTree.parse(path).getroot())
        for problem in problems:
            print(problem)
        if problems:
            return 1
        if len(sys.argv) > 1:
            shutil.copytree(Path(folder) / "html", sys.argv[1], dirs_exist_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
