/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints IP addresses. */
#include "snoop/address.h"

#include <arpa/inet.h>

char *
snoop_ip_format(const struct snoop_ip *ip, char text[SNOOP_IP_TEXT_MAX])
{
	bool v4 = snoop_ip_is_v4(ip);

	inet_ntop(v4 ? AF_INET : AF_INET6, ip->bytes + (v4 ? 12 : 0), text, SNOOP_IP_TEXT_MAX);
	return text;
}
