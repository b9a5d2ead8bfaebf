/* SPDX-License-Identifier: BSD-3-Clause */
/* Updates memberships: a timer for all sources, and one for each source that reports name. */
#include <stdlib.h>

#include "snoop/groups_internal.h"

struct member *
member_create(uint16_t port)
{
	struct member *member = calloc(1, sizeof(*member));

	if (member != NULL)
		member->port = port;
	return member;
}

void
member_free(struct member *member)
{
	free(member->sources);
	free(member);
}

bool
member_begins(const struct snoop_record *record)
{
	if (record->change == SNOOP_EXCLUDE)
		return true;
	return record->change != SNOOP_BLOCK && record->n_sources > 0;
}

/** Find a source of a membership. @return NULL if there is none */
static struct member_source *
member_find_source(struct member *member, const struct snoop_ip *ip)
{
	for (unsigned i = 0; i < member->n_sources; i++)
		if (snoop_ip_equal(&member->sources[i].ip, ip))
			return &member->sources[i];
	return NULL;
}

/** Join a source until a time, or all sources if there is no space for one more. */
static void
member_join_source(struct member *member, const struct snoop_ip *ip, uint64_t until)
{
	struct member_source *source = member_find_source(member, ip), *more;

	if (source != NULL) {
		source->until = until;
		return;
	}
	if (member->n_sources == GROUPS_SOURCES_MAX) {
		/* Too many sources: the membership is for all sources. */
		member->until = until;
		return;
	}
	more = reallocarray(member->sources, member->n_sources + 1u, sizeof(*more));
	if (more == NULL) {
		member->until = until;
		return;
	}
	member->sources = more;
	more[member->n_sources++] = (struct member_source){.ip = *ip, .until = until};
}

/** Bring an expiry forward to `last`. */
static void
member_lower(uint64_t *until, uint64_t last)
{
	if (*until > last)
		*until = last;
}

/** Bring the expiry of the sources of a record forward to `last`. */
static void
member_block_sources(struct member *member, const struct snoop_record *record, uint64_t last)
{
	for (unsigned i = 0; i < record->n_sources; i++) {
		struct snoop_ip ip = snoop_record_source(record, i);
		struct member_source *source = member_find_source(member, &ip);
		if (source != NULL)
			member_lower(&source->until, last);
	}
}

void
member_update(
	struct member *member, const struct snoop_record *record, uint64_t until, uint64_t last)
{
	switch (record->change) {
	case SNOOP_EXCLUDE:
		member->until = until;
		return;
	case SNOOP_BLOCK:
		member_block_sources(member, record, last);
		return;
	case SNOOP_TO_INCLUDE:
		member_lower(&member->until, last);
		for (unsigned i = 0; i < member->n_sources; i++)
			member_lower(&member->sources[i].until, last);
		break;
	case SNOOP_INCLUDE:
		break;
	}
	for (unsigned i = 0; i < record->n_sources; i++) {
		struct snoop_ip ip = snoop_record_source(record, i);
		member_join_source(member, &ip, until);
	}
}

uint64_t
member_expire(struct member *member, uint64_t now)
{
	uint64_t next = member->until > now ? member->until : 0;
	uint16_t kept = 0;

	for (unsigned i = 0; i < member->n_sources; i++) {
		const struct member_source source = member->sources[i];
		if (source.until <= now)
			continue;
		member->sources[kept++] = source;
		if (next == 0 || source.until < next)
			next = source.until;
	}
	member->n_sources = kept;
	return next;
}

uint64_t
member_until(const struct member *member)
{
	uint64_t until = member->until;

	for (unsigned i = 0; i < member->n_sources; i++)
		if (member->sources[i].until > until)
			until = member->sources[i].until;
	return until;
}
