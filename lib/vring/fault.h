/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults: the reasons for which a ring is broken.
 *
 * Thread safety: constants only.
 */
#ifndef SHUNT_VRING_FAULT_H
#define SHUNT_VRING_FAULT_H

/** The text of a fault of the interrupt descriptor. @param kind its kind, a literal */
#define VIRTQ_CALL_TEXT(kind)                                                                      \
	"the ring's interrupt descriptor is " kind "; eventfd or Unix socket expected"

/** Constant and text of each fault. */
#define VIRTQ_FAULTS(X)                                                                            \
	X(VIRTQ_GOOD, "")                                                                          \
	X(VIRTQ_BAD_INDEX, "available index ahead of the ring by more than its size")              \
	X(VIRTQ_BAD_HEAD, "descriptor number beyond the ring")                                     \
	X(VIRTQ_BAD_ADDRESS, "buffer outside of guest memory")                                     \
	X(VIRTQ_BAD_CHAIN, "descriptor chain that does not end")                                   \
	X(VIRTQ_BAD_DIRECTION, "buffer of the wrong direction")                                    \
	X(VIRTQ_BAD_INDIRECT, "malformed table of indirect descriptors")                           \
	X(VIRTQ_BAD_RX_BUFFER, "receive buffer shorter than its header")                           \
	X(VIRTQ_MEMORY_MISSING, "guest memory was truncated")                                      \
	X(VIRTQ_BAD_MEMORY, "guest memory that cannot be mapped")                                  \
	X(VIRTQ_BAD_RING, "ring outside of guest memory, or of no possible size")                  \
	X(VIRTQ_CALL_FILE, VIRTQ_CALL_TEXT("a regular file"))                                      \
	X(VIRTQ_CALL_DIRECTORY, VIRTQ_CALL_TEXT("a directory"))                                    \
	X(VIRTQ_CALL_PIPE, VIRTQ_CALL_TEXT("a pipe"))                                              \
	X(VIRTQ_CALL_DEVICE, VIRTQ_CALL_TEXT("a device"))                                          \
	X(VIRTQ_CALL_SOCKET, VIRTQ_CALL_TEXT("a socket of another family"))                        \
	X(VIRTQ_CALL_OTHER, VIRTQ_CALL_TEXT("of another kind"))                                    \
	X(VIRTQ_CALL_NO_FD, "no file descriptor is left for the ring's interrupts")                \
	X(VIRTQ_CONTROL_QUEUE,                                                                     \
		"the front end leaves the control queue to the switch; queues=1 expected")         \
	X(VIRTQ_BAD_BASE, "position in a packed ring is unknown: reload the guest's driver")

/** Faults, in the order of VIRTQ_FAULTS(). */
enum virtq_fault {
/** The enumerator of a fault. */
#define VIRTQ_FAULT_ENUM(constant, text) constant,
	VIRTQ_FAULTS(VIRTQ_FAULT_ENUM)
#undef VIRTQ_FAULT_ENUM
};

/**
 * Get the text of a fault. Any thread.
 *
 * @param fault one of enum virtq_fault
 * @return constant text
 */
const char *virtq_fault_text(enum virtq_fault fault);

#endif
