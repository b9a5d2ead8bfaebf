#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""No cycle of files: a .c file uses no function of a file that uses its own, directly or through
further files. An inline function counts for its header. The libraries and drivers are checked
together, each program by itself."""
import re
import sys
from collections import defaultdict
from pathlib import Path

from names import ROOT, blank, functions, sources


def uses(listing):
    """{file: {file whose functions it uses: one of these functions}}"""
    texts = {name: blank((ROOT / name).read_text()) for name in listing}
    defined = {function: name for name in listing
               for _, function, static in functions(ROOT / name) if not static}
    return {name: {defined[word]: word for word in re.findall(r"[a-z_]\w*", text)
                   if word in defined and defined[word] != name and is_used(text, word)}
            for name, text in texts.items()}


def is_used(text, word):
    """Whether a function is called or its address taken: a declaration begins its line."""
    return re.search(rf"^[ \t].*(?<![\w.>]){word}\b|= *{word}\b", text, re.MULTILINE) is not None


def circles(graph):
    """Strongly connected components of several files (Tarjan)."""
    order, lowest, stack, found = {}, {}, [], []

    def visit(node):
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for other in graph[node]:
            if other not in order:
                visit(other)
            if other in stack:
                lowest[node] = min(lowest[node], lowest[other])
        if lowest[node] == order[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for node in graph:
        if node not in order:
            visit(node)
    return found


def is_wrong(files):
    """A .c file and its header may use each other."""
    return sum(name.endswith(".c") for name in files) > 1


def main():
    groups = defaultdict(list)
    for name in sources():
        groups[str(Path(name).parent) if name.startswith("app/") else "lib"].append(name)
    graphs = [uses(listing) for listing in groups.values()]
    if sum(len(used) for graph in graphs for used in graph.values()) < 500:
        sys.exit("too few uses of functions found")
    bad = [(graph, files) for graph in graphs for files in circles(graph) if is_wrong(files)]
    for graph, files in bad:
        print("a circle: " + ", ".join(files))
        for name in files:
            for other, function in sorted(graph[name].items()):
                if other in files:
                    print(f"  {name} uses {function}() of {other}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
