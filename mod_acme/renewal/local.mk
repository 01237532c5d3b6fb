# renewal - orders, from due to installed; runs in a worker and the witness.

in_renewal = -I$(srcdir)/%D%
renewal_flags = $(in_renewal) $(in_ipc) $(in_protocol) $(in_net) $(in_crypto) $(in_base) $(cppflags)

noinst_LTLIBRARIES += %D%/libacme_renewal.la
%C%_libacme_renewal_la_CPPFLAGS = $(renewal_flags)
%C%_libacme_renewal_la_CFLAGS = $(hidden)
%C%_libacme_renewal_la_SOURCES = \
	%D%/acme_account_settle.c %D%/acme_account_settle.h \
	%D%/acme_admin_task.c %D%/acme_admin_task.h \
	%D%/acme_batch_member.c %D%/acme_batch_member.h \
	%D%/acme_breaker.c %D%/acme_breaker.h \
	%D%/acme_ca_pool.c %D%/acme_ca_pool.h \
	%D%/acme_chain_pick.c %D%/acme_chain_pick.h \
	%D%/acme_challenge_pick.c %D%/acme_challenge_pick.h \
	%D%/acme_dns01.c %D%/acme_dns01.h \
	%D%/acme_dry_run.c %D%/acme_dry_run.h \
	%D%/acme_live_check.c %D%/acme_live_check.h \
	%D%/acme_look_up.c %D%/acme_look_up.h \
	%D%/acme_order_begin.c %D%/acme_order_begin.h \
	%D%/acme_parallel.c %D%/acme_parallel.h \
	%D%/acme_persist_check.c %D%/acme_persist_check.h \
	%D%/acme_propagation.c %D%/acme_propagation.h \
	%D%/acme_publish.c %D%/acme_publish.h \
	%D%/acme_rate_limits.c %D%/acme_rate_limits.h \
	%D%/acme_rehearsal_dns.c %D%/acme_rehearsal_dns.h \
	%D%/acme_rehearsal_dry_run.c %D%/acme_rehearsal_dry_run.h \
	%D%/acme_rehearsal_judge.c %D%/acme_rehearsal_judge.h \
	%D%/acme_rehearsal_task.c %D%/acme_rehearsal_task.h \
	%D%/acme_rehearsal_visit.c %D%/acme_rehearsal_visit.h \
	%D%/acme_renewal.c %D%/acme_renewal.h \
	%D%/acme_revoked_fetch.c %D%/acme_revoked_fetch.h \
	%D%/acme_scheduler.c %D%/acme_scheduler.h \
	%D%/acme_self_check_report.c %D%/acme_self_check_report.h \
	%D%/acme_self_check_task.c %D%/acme_self_check_task.h \
	%D%/acme_task.c %D%/acme_task.h \
	%D%/acme_task_pool.c %D%/acme_task_pool.h \
	%D%/acme_timing.c %D%/acme_timing.h \
	%D%/acme_validation.c %D%/acme_validation.h
