# SPDX-License-Identifier: BSD-3-Clause
"""Ports with VLANs, and the treatment of a frame between two of them by IEEE 802.1Q.

The model works on whole frames: at ingress the tag is removed (clause 6.9.1), at egress the tag of
the port is added (6.9.2). It shares no code with the switch.
"""

from typing import NamedTuple

from frames import CTAG, STAG

EVERY = range(1, 4095)
NO_VLAN = 0      # of untagged frames at ports that name no VLANs


class Mode(NamedTuple):
    """The keys of a port and their meaning: the VLAN of untagged frames, and the tagged VLANs."""
    keys: dict
    untagged: int = None
    tagged: tuple = ()
    kind: int = CTAG
    floods: bool = True
    isolated: bool = False


MODES = {
    'plain': Mode({}, NO_VLAN, EVERY),
    'access10': Mode({'vlan': 10}, 10),
    'access20': Mode({'vlan': 20}, 20),
    'trunk10': Mode({'trunk': '10'}, tagged=(10,)),
    'trunk10-20': Mode({'trunk': '10,20'}, tagged=(10, 20)),
    'native10': Mode({'trunk': '20', 'native': 10}, 10, (20, 10)),
    'range': Mode({'trunk': '10-20,4094', 'native': 1}, 1, (1, *range(10, 21), 4094)),
    's-access10': Mode({'vlan': 10, 'vlan-protocol': '802.1ad'}, 10, kind=STAG),
    's-trunk': Mode({'trunk': '10,20', 'vlan-protocol': '802.1ad'}, tagged=(10, 20), kind=STAG),
    's-native': Mode({'trunk': '20', 'native': 10, 'vlan-protocol': '802.1ad'}, 10, (20, 10), STAG),
    'isolated10': Mode({'vlan': 10, 'isolated': 'on'}, 10, isolated=True),
    'quiet10': Mode({'vlan': 10, 'learn': 'off', 'flood': 'off'}, 10, floods=False),
}


class Inside(NamedTuple):
    """A frame in the switch: its VLAN, its priority and drop eligibility, its bytes without tag."""
    vlan: int
    priority: int
    bare: bytes
    whole: bytes


def enter(mode, whole):
    """The frame after ingress, or the reason of its drop."""
    if int.from_bytes(whole[12:14], 'big') != mode.kind:
        vlan, priority, bare = mode.untagged, 0, whole
    else:
        control = int.from_bytes(whole[14:16], 'big')
        vlan, priority, bare = control & 4095, control >> 12, whole[:12] + whole[16:]
        if vlan == 4095:
            return 'bad-tag'
        if vlan == 0:
            vlan = mode.untagged
        elif 'vlan' in mode.keys or vlan not in mode.tagged:
            return 'vlan'
    return 'vlan' if vlan is None else Inside(vlan, priority, bare, whole)


def leave(mode, inside):
    """The bytes that leave by a port; None if the port does not carry the VLAN."""
    if inside.vlan == NO_VLAN:
        return inside.whole if mode.untagged == NO_VLAN else None
    if inside.vlan == mode.untagged:
        return inside.bare
    if inside.vlan not in mode.tagged:
        return None
    tag = mode.kind << 16 | inside.priority << 12 | inside.vlan
    return inside.bare[:12] + tag.to_bytes(4, 'big') + inside.bare[12:]


def deliveries(source, whole, target=None, unknown=False):
    """({port: bytes}, reason) of a frame from a port; ports are called by their modes.

    target is the port of the destination in the FDB; None floods. reason is that of a drop, or
    None.
    """
    inside = enter(MODES[source], whole)
    if isinstance(inside, str):
        return {}, inside
    if target == source:
        return {}, 'same-port'
    if target is not None:
        out = leave(MODES[target], inside)
        if MODES[source].isolated and MODES[target].isolated:
            return {}, 'policy'
        return ({}, 'vlan') if out is None else ({target: out}, None)
    found = {name: leave(mode, inside) for name, mode in MODES.items()
             if name != source and (mode.floods or not unknown)}
    found = {name: out for name, out in found.items() if out is not None}
    return found, None if found else 'no-target'
