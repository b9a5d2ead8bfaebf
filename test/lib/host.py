# SPDX-License-Identifier: BSD-3-Clause
"""Base class of guests and network namespaces: hosts that run shell commands."""

from proc import wait_until


class CommandError(Exception):
    """A command ended with a status other than 0."""

    def __init__(self, where, command, status, output):
        super().__init__(f'{where}: "{command}" ended with {status}:\n{output}')
        self.status = status
        self.output = output


class Host:
    """ip has a prefix length; tmp is a folder for files of tests. Subclasses give call()."""

    def __init__(self, name, ip, tmp):
        self.name, self.ip, self.tmp = name, ip, tmp
        self.jobs = 0

    @property
    def address(self):
        """The IP address without its prefix length."""
        return self.ip.split('/')[0]

    def call(self, command, timeout=30):
        """(status, output) of a shell command."""
        raise NotImplementedError

    def run(self, command, timeout=30):
        """The output of a shell command; CommandError unless its status is 0."""
        status, output = self.call(command, timeout)
        if status:
            raise CommandError(self.name, command, status, output)
        return output

    def spawn(self, command):
        """Start a shell command in the background: a Job."""
        self.jobs += 1
        return Job(self, command, f'{self.tmp}/.job{self.jobs}')


class Job:
    """A command in the background of a Host, in a session of its own."""

    def __init__(self, host, command, file):
        self.host, self.command, self.file = host, command, file
        quoted = command.replace("'", "'\\''")
        script = f'{{ {quoted}\n}} >{file} 2>&1; echo $? >{file}.new; mv {file}.new {file}.rc'
        self.pid = int(host.run(
            f"rm -f {file}.rc; setsid sh -c '{script}' </dev/null >/dev/null 2>&1 & echo $!"))

    def output(self):
        """Its output so far."""
        return self.host.run(f'cat {self.file}')

    def done(self):
        """The exit status, or None while the command runs."""
        text = self.host.run(f'cat {self.file}.rc 2>/dev/null || true')
        return int(text) if text else None

    def wait(self, timeout=30):
        """The output once the command has ended; CommandError unless its status is 0."""
        wait_until(lambda: self.done() is not None, timeout, self.command, 0.1)
        if self.done():
            raise CommandError(self.host.name, self.command, self.done(), self.output())
        return self.output()

    def kill(self):
        """kill -9 of the command and its children."""
        self.host.run(f'kill -KILL -{self.pid} 2>/dev/null || true')
