# SPDX-License-Identifier: BSD-3-Clause
"""How each kind of scenario is measured: functions from a running bench to figures by name.

Figures are numbers: the runner takes medians over rounds of each. True in 'bound' means that the
generator, not the switch, was the limit.
"""

import contextlib
import time

import proc

from .generator import GeneratorError

WARM_SECONDS = 0.2
SAMPLE_SECONDS = 0.1
CONNECT_SECONDS = 0.01    # each idle port, with some reserve
IDLE_SECONDS = 600
LOST_MANY = 64            # of the circulating frames
TRIAL_SECONDS = 0.1
LATENCY_LIMIT = 60


@contextlib.contextmanager
def running(run):
    """A run of the generator that ends with the block."""
    try:
        yield run
    finally:
        run.kill9()


def wait_traffic(switch, run, packets=1000, timeout=15):
    """Wait until frames pass the switch."""
    before = switch.cycles().packets

    def flows():
        switch.check_alive()
        run.check()
        return switch.cycles().packets - before >= packets
    try:
        proc.wait_until(flows, timeout, 'traffic', 0.005)
    except TimeoutError:
        raise GeneratorError(f'no frame passes: {run.process.tail(2)}') from None


def follow(switch, run):
    """[(time, Cycles)] during a run."""
    samples = []
    while run.alive():
        switch.check_alive()
        samples.append((time.monotonic(), switch.cycles()))
        time.sleep(SAMPLE_SECONDS)
    return samples


def last_window(samples, seconds):
    """(Cycles, seconds) of the last interval in which frames passed, without its very end.

    Before it the switch learns addresses, after it no frames pass.
    """
    moving = [index for index in range(1, len(samples))
              if samples[index][1].packets != samples[index - 1][1].packets]
    if len(moving) < 3:
        raise GeneratorError('no frame passed the switch')
    last = moving[-1] - 1
    first = max(index for index in range(last)
                if index == 0 or samples[last][0] - samples[index][0] >= seconds)
    return samples[last][1] - samples[first][1], samples[last][0] - samples[first][0]


@contextlib.contextmanager
def idle_ports(bench, scenario):
    """Front ends of the idle ports, connected and silent."""
    if not scenario.idle:
        yield
        return
    run = bench.generator.idle(bench.switch, scenario.ports, scenario.idle, IDLE_SECONDS)
    with running(run):
        time.sleep(CONNECT_SECONDS * scenario.idle)
        run.check()
        run.freeze()
        yield


def rate(bench, scenario):
    """Frames circulate; rate and cost in a window meanwhile.

    A switch that loses frames (some do while ports come up) has fewer to forward from then on: if
    it lost many, the measurement is repeated, once.
    """
    with idle_ports(bench, scenario):
        for _ in range(2):
            seconds = WARM_SECONDS + bench.seconds
            with running(bench.generator.loop(bench.switch, scenario, seconds)) as run:
                samples = follow(bench.switch, run)
                answer = run.wait()
            if answer.get('lost', 0) < LOST_MANY:
                break
    return figures(scenario, *last_window(samples, bench.seconds), answer)


def figures(scenario, cycles, seconds, answer):
    """Rate, cost, and the generator's own report."""
    if not cycles.packets:
        raise GeneratorError('no frame passed the switch')
    mpps = cycles.packets / seconds / 1e6
    found = {'mpps': mpps, 'cycles': cycles.busy / cycles.packets,
             'gbps': mpps * scenario.bytes * 8 / 1000}
    if answer.get('lost'):
        found['lost'] = answer['lost']
    for name, key in (('generator_mpps', 'mpps'), ('ceiling_mpps', 'ceiling_mpps'),
                      ('bound', 'at_ceiling')):
        if key in answer:
            found[name] = answer[key]
    return found


def broadcast(bench, scenario):
    """One port floods to the others: rates in copies delivered, and the cost of one.

    The cost is that of the generator's last run, at the rate found without loss.
    """
    generator = bench.generator
    run = generator.start('broadcast', generator.vms(bench.switch, scenario),
                          ['--frame', scenario.frame, '--trial', TRIAL_SECONDS], bench.seconds,
                          LATENCY_LIMIT)
    with running(run):
        samples = follow(bench.switch, run)
        answer = run.wait()
    if not answer['rx_packets']:
        raise GeneratorError('no copy was delivered')
    cycles, _ = last_window(samples, bench.seconds / 2)
    return {'copies_mpps': answer['ndr_mpps'], 'copies_most_mpps': answer['mrr_mpps'],
            'copy_cycles': cycles.busy / cycles.packets / answer['receivers'],
            'copy_p50_us': answer['latency_us']['p50'], 'copy_p99_us': answer['latency_us']['p99'],
            'ceiling_mpps': answer['ceiling_mpps'], 'bound': answer['at_ceiling']}


def latency(bench, scenario):
    """At 10, 50 and 90% of the no-drop rate, which the generator determines first."""
    generator = bench.generator
    run = generator.start('latency', generator.vms(bench.switch, scenario),
                          ['--frame', scenario.frame, '--trial', TRIAL_SECONDS], bench.seconds,
                          LATENCY_LIMIT)
    with running(run):
        answer = run.wait()
    result = {'ndr_mpps': answer['ndr_mpps']}
    for part in answer['latency_at']:
        for quantile in ('p50', 'p99', 'p999', 'max'):
            result[f"{quantile}_us_{part['percent']}"] = part[quantile]
    return result
