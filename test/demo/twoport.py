# SPDX-License-Identifier: BSD-3-Clause
"""The behaviour required of a learning bridge with two ports and two queues of frames, and a check
of it.

A bridge keeps the order of frames with the same source, destination and VLAN (IEEE 802.1Q 6.5.3);
others may overtake each other. The order between the ports is not known; with two ports it does not
matter, as a frame either leaves by the other port or stays.
"""

from collections import namedtuple

MUST, MAY, NEVER = 'must', 'may', 'never'
BURST = 64    # frames this close to each other may be learnt and looked up in any order
MTU_FRAME = 1514    # an MTU of 1500; captures have no FCS

Verdict = namedtuple('Verdict', 'kind reason')
FORWARD = Verdict(MUST, 'forwarded')


def addresses(frame):
    """(VLAN, destination, source) of a frame; an untagged one is of VLAN 0."""
    vlan = 0
    if frame[12:14] == b'\x81\x00' and len(frame) >= 18:
        vlan = int.from_bytes(frame[14:16], 'big') & 0xfff
    return vlan, frame[:6], frame[6:12]


def is_group(mac):
    return mac[0] & 1 == 1


def is_reserved(mac):
    """Addresses a bridge never forwards to (IEEE 802.1Q table 8-1)."""
    return mac[:5] == b'\x01\x80\xc2\x00\x00' and mac[5] < 16


def sources(frames):
    """{(VLAN, source): [positions]} of the frames a port sends."""
    seen = {}
    for position, frame in enumerate(frames):
        vlan, destination, source = addresses(frame)
        if len(frame) >= 14 and not is_group(source) and not is_reserved(destination):
            seen.setdefault((vlan, source), []).append(position)
    return seen


def doubtful(frame):
    """The reason why a frame may be dropped for its contents; None for a valid one."""
    vlan, _, source = addresses(frame)
    if len(frame) < 14:
        return 'too short'
    if len(frame) > MTU_FRAME + (4 if vlan else 0):
        return 'too long'
    if vlan == 0xfff:
        return 'bad tag'
    return 'bad source' if is_group(source) or not any(source) else None


def verdict(frame, position, seen):
    """The required treatment of the frame at this position of a port's queue."""
    vlan, destination, _ = addresses(frame)
    if doubtful(frame):
        return Verdict(MAY, doubtful(frame))
    if is_reserved(destination):
        return Verdict(NEVER, 'to a reserved address')
    if is_group(destination):
        return FORWARD
    here = seen.get((vlan, destination), [])
    if here and here[0] <= position - BURST:
        return Verdict(NEVER, 'to a station on the same port')
    if here and here[0] < position + BURST:
        return Verdict(MAY, 'to a station on the same port')
    return FORWARD


def verdicts(frames):
    seen = sources(frames)
    return [verdict(frame, position, seen) for position, frame in enumerate(frames)]


def flows(items, frame_of):
    """{(VLAN, destination, source): [items in order]}."""
    found = {}
    for item in items:
        found.setdefault(addresses(frame_of(item)), []).append(item)
    return found


def compare_flow(sent, received):
    """(kept, error) of one flow: sent is a list of (position, frame, verdict)."""
    kept, place = [], 0
    for position, frame, said in sent:
        if said.kind != NEVER and place < len(received) and received[place] == frame:
            place += 1
        elif said.kind == MUST:
            return kept, f'frame {position} did not come out, or not unchanged and in order'
        else:
            kept.append(said)
    if place < len(received):
        return kept, f'{len(received) - place} frames came out that must not'
    return kept, None


def compare(sent, received):
    """(kept, errors): the verdicts of frames that did not leave; no errors if all is right."""
    judged = zip(range(len(sent)), sent, verdicts(sent))
    inputs, outputs = flows(judged, lambda item: item[1]), flows(received, lambda frame: frame)
    kept, errors = [], []
    for flow in inputs.keys() | outputs.keys():
        flow_kept, error = compare_flow(inputs.get(flow, []), outputs.get(flow, []))
        kept += flow_kept
        errors += [error] if error else []
    return kept, errors


def sides(frames):
    """Split one capture into the frames received by two ports.

    A station is on the side opposite to the one that it communicates with; the others, on the
    first.
    """
    side = {}
    for frame in frames:
        _, destination, source = addresses(frame)
        if source not in side:
            side[source] = 1 - side[destination] if destination in side else 0
        if not is_group(destination):
            side.setdefault(destination, 1 - side[source])
    return [[frame for frame in frames if side[frame[6:12]] == number] for number in (0, 1)]
