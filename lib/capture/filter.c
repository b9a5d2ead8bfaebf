/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks the BPF programs of clients, and prepares them to run. */
#include "capture/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** A supported instruction, and the check of its operand k. */
struct filter_kind {
	uint16_t code;
	enum filter_check { KIND_PLAIN, KIND_MEMORY, KIND_SHIFT, KIND_DIVIDE } check;
};

#define LOADS(mode)                                                                                \
	{BPF_LD | BPF_W | (mode), KIND_PLAIN}, {BPF_LD | BPF_H | (mode), KIND_PLAIN},              \
	{                                                                                          \
		BPF_LD | BPF_B | (mode), KIND_PLAIN                                                \
	}
#define OPERATION(op, constant)                                                                    \
	{BPF_ALU | (op) | BPF_K, constant},                                                        \
	{                                                                                          \
		BPF_ALU | (op) | BPF_X, KIND_PLAIN                                                 \
	}

/* Instructions that pcap_offline_filter() supports, without jumps. */
static const struct filter_kind filter_kinds[] = {
	LOADS(BPF_ABS),
	LOADS(BPF_IND),
	{BPF_LD | BPF_W | BPF_LEN, KIND_PLAIN},
	{BPF_LD | BPF_IMM, KIND_PLAIN},
	{BPF_LD | BPF_MEM, KIND_MEMORY},
	{BPF_LDX | BPF_W | BPF_LEN, KIND_PLAIN},
	{BPF_LDX | BPF_MSH | BPF_B, KIND_PLAIN},
	{BPF_LDX | BPF_IMM, KIND_PLAIN},
	{BPF_LDX | BPF_MEM, KIND_MEMORY},
	{BPF_ST, KIND_MEMORY},
	{BPF_STX, KIND_MEMORY},
	OPERATION(BPF_ADD, KIND_PLAIN),
	OPERATION(BPF_SUB, KIND_PLAIN),
	OPERATION(BPF_MUL, KIND_PLAIN),
	OPERATION(BPF_DIV, KIND_DIVIDE),
	OPERATION(BPF_MOD, KIND_DIVIDE),
	OPERATION(BPF_AND, KIND_PLAIN),
	OPERATION(BPF_OR, KIND_PLAIN),
	OPERATION(BPF_XOR, KIND_PLAIN),
	OPERATION(BPF_LSH, KIND_SHIFT),
	OPERATION(BPF_RSH, KIND_SHIFT),
	{BPF_ALU | BPF_NEG, KIND_PLAIN},
	{BPF_MISC | BPF_TAX, KIND_PLAIN},
	{BPF_MISC | BPF_TXA, KIND_PLAIN},
	{BPF_RET | BPF_K, KIND_PLAIN},
	{BPF_RET | BPF_A, KIND_PLAIN},
};

/** Whether a jump over `skip` instructions ends at an instruction of the program. */
static bool
filter_jump_is_inside(unsigned n, unsigned from, uint32_t skip)
{
	return skip < n - from - 1;
}

/** Whether all targets of a jump are inside the program. */
static bool
filter_jump_is_good(const struct bpf_insn *insn, unsigned n, unsigned at)
{
	switch (insn->code) {
	case BPF_JMP | BPF_JA:
		return filter_jump_is_inside(n, at, insn->k);
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JEQ | BPF_X:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_X:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_X:
	case BPF_JMP | BPF_JSET | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_X:
		return filter_jump_is_inside(n, at, insn->jt) &&
		       filter_jump_is_inside(n, at, insn->jf);
	default:
		return false;
	}
}

/** Find a supported instruction. @return NULL if it is not supported or a jump */
static const struct filter_kind *
filter_kind_of(uint16_t code)
{
	for (unsigned i = 0; i < sizeof(filter_kinds) / sizeof(filter_kinds[0]); i++)
		if (filter_kinds[i].code == code)
			return &filter_kinds[i];
	return NULL;
}

static bool
filter_kind_is(uint16_t code, enum filter_check check)
{
	const struct filter_kind *kind = filter_kind_of(code);

	return kind != NULL && kind->check == check;
}

/** Whether an instruction is supported, its operand valid, and the next one inside the program. */
static bool
filter_insn_is_good(const struct bpf_insn *insn, unsigned n, unsigned at)
{
	const struct filter_kind *kind = filter_kind_of(insn->code);

	if (BPF_CLASS(insn->code) == BPF_JMP)
		return filter_jump_is_good(insn, n, at);
	if (kind == NULL || (BPF_CLASS(insn->code) != BPF_RET && !filter_jump_is_inside(n, at, 0)))
		return false;
	switch (kind->check) {
	case KIND_MEMORY:
		return insn->k < BPF_MEMWORDS;
	case KIND_SHIFT:
		return insn->k < 32;
	case KIND_DIVIDE:
		return insn->k != 0;
	default:
		return true;
	}
}

/** Begin a program with stores of 0 to all memory words. @return number of instructions */
static unsigned
filter_clear_memory(struct bpf_insn *program)
{
	unsigned n = 0;

	program[n++] = (struct bpf_insn){BPF_LD | BPF_IMM, 0, 0, 0};
	for (uint32_t word = 0; word < BPF_MEMWORDS; word++)
		program[n++] = (struct bpf_insn){BPF_ST, 0, 0, word};
	return n;
}

struct bpf_program *
capture_filter_make(const struct bpf_insn program[], unsigned n, struct err *err)
{
	bool memory = false;

	if (n == 0 || n > CAPTURE_FILTER_MAX) {
		err_set(err, EINVAL, "filter: must have 1 to %d instructions", CAPTURE_FILTER_MAX);
		return NULL;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!filter_insn_is_good(&program[i], n, i)) {
			err_set(err, EINVAL, "filter: instruction %u (0x%x) is not supported", i,
				program[i].code);
			return NULL;
		}
		memory = memory || filter_kind_is(program[i].code, KIND_MEMORY);
	}
	struct bpf_program *made =
		calloc(1, sizeof(*made) + (n + 1 + BPF_MEMWORDS) * sizeof(*program));
	if (made == NULL) {
		err_set(err, ENOMEM, "no memory for the filter");
		return NULL;
	}
	made->bf_insns = (struct bpf_insn *)(made + 1);
	made->bf_len = memory ? filter_clear_memory(made->bf_insns) : 0;
	memcpy(made->bf_insns + made->bf_len, program, n * sizeof(*program));
	made->bf_len += n;
	return made;
}

/** Bytes of a frame that an instruction reads, at most. */
static uint64_t
filter_insn_depth(const struct bpf_insn *insn)
{
	bool loads = BPF_CLASS(insn->code) == BPF_LD || BPF_CLASS(insn->code) == BPF_LDX;

	if (!loads || (BPF_MODE(insn->code) != BPF_ABS && BPF_MODE(insn->code) != BPF_IND &&
			      BPF_MODE(insn->code) != BPF_MSH))
		return 0;
	if (BPF_MODE(insn->code) == BPF_IND)
		return UINT32_MAX;
	return (uint64_t)insn->k + (BPF_SIZE(insn->code) == BPF_W          ? 4
					   : BPF_SIZE(insn->code) == BPF_H ? 2
									   : 1);
}

uint32_t
capture_filter_depth(const struct bpf_program *program)
{
	uint64_t depth = 0;

	for (unsigned i = 0; i < program->bf_len; i++) {
		uint64_t read = filter_insn_depth(&program->bf_insns[i]);
		depth = read > depth ? read : depth;
	}
	return depth < UINT32_MAX ? (uint32_t)depth : UINT32_MAX;
}
