# ipc - what the processes say to each other.

in_ipc = -I$(srcdir)/%D%
ipc_flags = $(in_ipc) $(in_protocol) $(in_net) $(in_crypto) $(in_base) $(cppflags)

noinst_LTLIBRARIES += %D%/libacme_ipc.la
%C%_libacme_ipc_la_CPPFLAGS = $(ipc_flags)
%C%_libacme_ipc_la_CFLAGS = $(hidden)
%C%_libacme_ipc_la_SOURCES = \
	%D%/acme_caa_records.c %D%/acme_caa_records.h \
	%D%/acme_ca_pace.c %D%/acme_ca_pace.h \
	%D%/acme_conf.c %D%/acme_conf.h \
	%D%/acme_conf_snapshot.c %D%/acme_conf_snapshot.h \
	%D%/acme_counters.c %D%/acme_counters.h \
	%D%/acme_explain.c %D%/acme_explain.h \
	%D%/acme_hook_event.h \
	%D%/acme_keeper_address.c %D%/acme_keeper_address.h \
	%D%/acme_keeper_client.c %D%/acme_keeper_client.h \
	%D%/acme_live_pairs.c %D%/acme_live_pairs.h \
	%D%/acme_live_slot.c %D%/acme_live_slot.h \
	%D%/acme_log.c %D%/acme_log.h \
	%D%/acme_message.c %D%/acme_message.h \
	%D%/acme_next_step.c %D%/acme_next_step.h \
	%D%/acme_rate_buckets.c %D%/acme_rate_buckets.h \
	%D%/acme_rate_past.c %D%/acme_rate_past.h \
	%D%/acme_rehearsal.c %D%/acme_rehearsal.h \
	%D%/acme_renew_due.c %D%/acme_renew_due.h \
	%D%/acme_self_check.c %D%/acme_self_check.h \
	%D%/acme_server.h \
	%D%/acme_state.c %D%/acme_state.h \
	%D%/acme_status_json.c %D%/acme_status_json.h \
	%D%/acme_status_rows.c %D%/acme_status_rows.h
