/* SPDX-License-Identifier: BSD-3-Clause */
/* shuntd: creates, runs and destroys the switch. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <event2/event.h>
#include <rte_eal.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "config/config.h"
#include "control/methods.h"
#include "drivers.h"
#include "eal.h"
#include "lcore/pool.h"
#include "lcore/topology.h"
#include "metrics/metrics.h"
#include "options.h"
#include "stats/drops.h"
#include "stats/telemetry.h"

LOG_MODULE(main);

enum { EXIT_USAGE = 2 };

struct shuntd {
	struct options options;
	struct config config;
	cpu_set_t allowed;
	cpu_set_t polling;
	struct event_base *events;
	struct event *signals[3];
	struct event_hub *hub;
	struct vswitch *vswitch;
	struct metrics *metrics;
	struct rpc *rpc;
	struct config_service service;
	struct methods_context methods;
	struct methods_monitor monitor;
};

/** Read the configuration file. Only one named on the command line must exist. */
static int
shuntd_read_config(struct shuntd *shuntd, struct err *err)
{
	int rc = config_read(&shuntd->config, shuntd->options.config, drivers, err);

	if (rc == -ENOENT && !shuntd->options.config_given) {
		config_free(&shuntd->config);
		memset(&shuntd->config, 0, sizeof(shuntd->config));
		return 0;
	}
	return rc;
}

/** Choose the CPUs that poll. @param control receives the other CPUs of this process */
static int
shuntd_choose_cpus(struct shuntd *shuntd, cpu_set_t *control, struct err *err)
{
	struct config *config = &shuntd->config;
	const char *given = shuntd->options.lcores;
	const char *list = given != NULL               ? given
			   : config->lcores[0] != '\0' ? config->lcores
						       : "auto";
	int rc = topology_allowed(&shuntd->allowed);

	if (rc == 0 && topology_parse(list, &shuntd->allowed, &shuntd->polling, err) < 0) {
		if (given == NULL && config->lcores_line > 0)
			err_prefix(err, "%s:%u", config->path, config->lcores_line);
		return -EINVAL;
	}
	/* The command line overrides the configuration file, now and on SIGHUP. */
	if (given != NULL)
		config->lcores[0] = '\0';
	CPU_XOR(control, &shuntd->allowed, &shuntd->polling);
	return rc;
}

/** Signal callback: end the event loop. */
static void
shuntd_on_stop(evutil_socket_t number, short what, void *arg)
{
	struct shuntd *shuntd = arg;

	(void)what;
	log_info("%s: stopping", strsignal((int)number));
	event_base_loopexit(shuntd->events, NULL);
}

/** Signal callback: apply the configuration file. */
static void
shuntd_on_hangup(evutil_socket_t number, short what, void *arg)
{
	struct shuntd *shuntd = arg;
	struct err err = {0};

	(void)number;
	(void)what;
	sd_notify(0, "RELOADING=1");
	int rc = config_load(&shuntd->service.target, shuntd->options.config,
		shuntd->options.lcores == NULL, NULL, EVENT_RELOADED, &err);
	if (rc < 0)
		log_error("%s", err.text);
	else
		log_info("%s applied", shuntd->options.config);
	sd_notify(0, "READY=1");
}

/** Handle signals in the event loop from now on. @return 0; -ENOMEM */
static int
shuntd_catch_signals(struct shuntd *shuntd)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 3; i++) {
		shuntd->signals[i] = evsignal_new(shuntd->events, numbers[i],
			numbers[i] == SIGHUP ? shuntd_on_hangup : shuntd_on_stop, shuntd);
		if (shuntd->signals[i] == NULL || event_add(shuntd->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

/** Raise the limit of file descriptors, of which every VM needs several. */
static void
shuntd_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/** Create the switch, apply the configuration, register RPC methods and listen. */
static int
shuntd_build(struct shuntd *shuntd, struct err *err)
{
	const struct vswitch_config config = {
		.drivers = drivers,
		.events = shuntd->events,
		.fdb = shuntd->config.fdb,
		.allowed = shuntd->allowed,
		.polling = shuntd->polling,
		.hub = shuntd->hub,
	};

	shuntd->vswitch = vswitch_create(&config, err);
	if (shuntd->vswitch == NULL)
		return err->code;
	shuntd->metrics = metrics_create(shuntd->vswitch);
	if (shuntd->metrics == NULL)
		return err_set(err, ENOMEM, "no memory");
	shuntd->service.target =
		(struct config_target){.vswitch = shuntd->vswitch, .metrics = shuntd->metrics};
	int rc = config_apply(&shuntd->service.target, &shuntd->config, NULL, err);
	if (rc < 0)
		return rc;
	shuntd->service.path = shuntd->options.config;
	shuntd->methods = (struct methods_context){shuntd->rpc, shuntd->vswitch};
	methods_register(&shuntd->methods);
	drops_register(shuntd->rpc, shuntd->vswitch);
	config_register(shuntd->rpc, &shuntd->service);
	shuntd->monitor = (struct methods_monitor){shuntd->rpc, shuntd->hub};
	rpc_register(shuntd->rpc, methods_monitor, &shuntd->monitor);
	rc = telemetry_open(shuntd->rpc, shuntd->vswitch, err);
	return rc < 0 ? rc : rpc_listen(shuntd->rpc, shuntd->options.socket, err);
}

/** Do all that precedes the event loop: configuration, CPUs, EAL, switch. */
static int
shuntd_prepare(struct shuntd *shuntd, struct err *err)
{
	cpu_set_t control;
	int rc = shuntd_read_config(shuntd, err);

	if (rc == 0)
		rc = shuntd_choose_cpus(shuntd, &control, err);
	if (rc == 0)
		rc = rpc_check(shuntd->options.socket, err);
	if (rc < 0)
		return rc;
	shuntd_raise_limits();
	rc = eal_start(&shuntd->options, &control, err);
	if (rc < 0)
		return rc;
	rpc_make_directory(shuntd->options.socket);
	drivers_open(shuntd->options.socket);
	shuntd->events = event_base_new();
	shuntd->rpc = shuntd->events != NULL ? rpc_create(shuntd->events) : NULL;
	shuntd->hub = event_hub_create();
	if (shuntd->rpc == NULL || shuntd->hub == NULL || shuntd_catch_signals(shuntd) < 0)
		return err_set(err, ENOMEM, "no memory");
	return shuntd_build(shuntd, err);
}

/** Free everything, also after a start that failed. */
static void
shuntd_free(struct shuntd *shuntd)
{
	telemetry_close();
	metrics_destroy(shuntd->metrics);
	/* The control socket is closed last: clients wait for its end to detect a complete stop. */
	vswitch_destroy(shuntd->vswitch);
	drivers_close();
	rpc_destroy(shuntd->rpc);
	event_hub_destroy(shuntd->hub);
	for (int i = 0; i < 3; i++)
		if (shuntd->signals[i] != NULL)
			event_free(shuntd->signals[i]);
	if (shuntd->events != NULL) {
		event_base_free(shuntd->events);
		pool_free_all();
		rte_eal_cleanup();
	}
	config_free(&shuntd->config);
	libevent_global_shutdown();
}

int
main(int argc, char **argv)
{
	static struct shuntd shuntd;
	char lcores[TOPOLOGY_LIST_MAX];
	struct err err = {0};

	if (options_parse(&shuntd.options, argc, argv, &err) < 0) {
		fprintf(stderr, "shuntd: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (shuntd.options.done)
		return 0;
	if (shuntd_prepare(&shuntd, &err) < 0) {
		fprintf(stderr, "shuntd: %s\n", err.text);
		shuntd_free(&shuntd);
		return EXIT_USAGE;
	}
	config_free(&shuntd.config);
	eal_report();
	log_info("ready, %u ports, polling on %s, control socket %s", shuntd.vswitch->n_ports,
		topology_format(&shuntd.polling, lcores), shuntd.options.socket);
	sd_notify(0, "READY=1");
	event_base_dispatch(shuntd.events);
	sd_notify(0, "STOPPING=1");
	shuntd_free(&shuntd);
	return 0;
}
