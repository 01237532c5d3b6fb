# keeper - the one process that holds keys.

in_keeper = -I$(srcdir)/%D% -I$(srcdir)/%D%/entry
in_keeper_entry = -I$(srcdir)/%D%/entry
keeper_flags = $(in_keeper) $(in_ipc) $(in_store) $(in_protocol) $(in_net) $(in_crypto) $(in_base) $(cppflags)

noinst_LTLIBRARIES += %D%/libacme_keeper.la
%C%_libacme_keeper_la_CPPFLAGS = $(keeper_flags)
%C%_libacme_keeper_la_CFLAGS = $(hidden)
%C%_libacme_keeper_la_SOURCES = \
	%D%/acme_accounts.c %D%/acme_accounts.h \
	%D%/acme_activate.c %D%/acme_activate.h \
	%D%/acme_activated.c %D%/acme_activated.h \
	%D%/acme_batch.c %D%/acme_batch.h \
	%D%/acme_batch_post.c %D%/acme_batch_post.h \
	%D%/acme_batch_pre.c %D%/acme_batch_pre.h \
	%D%/acme_batch_state.c %D%/acme_batch_state.h \
	%D%/acme_ca_facts.c %D%/acme_ca_facts.h \
	%D%/acme_ca_paces.c %D%/acme_ca_paces.h \
	%D%/acme_cert_facts.c %D%/acme_cert_facts.h \
	%D%/acme_cert_known.c %D%/acme_cert_known.h \
	%D%/acme_cert_reader.c %D%/acme_cert_reader.h \
	%D%/acme_cert_reader_process.c %D%/acme_cert_reader_process.h \
	%D%/acme_channels.c %D%/acme_channels.h \
	%D%/acme_confine.c %D%/acme_confine.h \
	%D%/acme_deploy.c %D%/acme_deploy.h \
	%D%/acme_descriptors.c %D%/acme_descriptors.h \
	%D%/acme_dns_command.c %D%/acme_dns_command.h \
	%D%/acme_event.c %D%/acme_event.h \
	%D%/acme_export_job.c %D%/acme_export_job.h \
	%D%/acme_export_queue.c %D%/acme_export_queue.h \
	%D%/acme_findings.c %D%/acme_findings.h \
	%D%/acme_handlers.c %D%/acme_handlers.h \
	%D%/acme_handlers_account.c %D%/acme_handlers_account.h \
	%D%/acme_handlers_admin.c %D%/acme_handlers_admin.h \
	%D%/acme_handlers_cert.c %D%/acme_handlers_cert.h \
	%D%/acme_handlers_challenge.c %D%/acme_handlers_challenge.h \
	%D%/acme_handlers_order.c %D%/acme_handlers_order.h \
	%D%/acme_handlers_rehearsal.c %D%/acme_handlers_rehearsal.h \
	%D%/acme_helper_process.c %D%/acme_helper_process.h \
	%D%/acme_history.c %D%/acme_history.h \
	%D%/acme_hook_run.c %D%/acme_hook_run.h \
	%D%/acme_install.c %D%/acme_install.h \
	%D%/acme_install_bundle.c %D%/acme_install_bundle.h \
	%D%/acme_install_check.c %D%/acme_install_check.h \
	%D%/acme_install_issued.c %D%/acme_install_issued.h \
	%D%/acme_install_part.c %D%/acme_install_part.h \
	%D%/acme_install_pending.c %D%/acme_install_pending.h \
	%D%/acme_keeper.c \
	%D%/acme_key_maker.c %D%/acme_key_maker.h \
	%D%/acme_key_maker_process.c %D%/acme_key_maker_process.h \
	%D%/acme_landlock.c %D%/acme_landlock.h \
	%D%/acme_launcher.c %D%/acme_launcher.h \
	%D%/acme_launcher_process.c %D%/acme_launcher_process.h \
	%D%/acme_launcher_request.h \
	%D%/acme_launcher_rules.c %D%/acme_launcher_rules.h \
	%D%/acme_name_quarantine.c %D%/acme_name_quarantine.h \
	%D%/acme_next_key.c %D%/acme_next_key.h \
	%D%/acme_persist_zone.c %D%/acme_persist_zone.h \
	%D%/acme_process.c %D%/acme_process.h \
	%D%/acme_publish_check.c %D%/acme_publish_check.h \
	%D%/acme_publish_job.h \
	%D%/acme_published.c %D%/acme_published.h \
	%D%/acme_published_command.c %D%/acme_published_command.h \
	%D%/acme_published_left.c %D%/acme_published_left.h \
	%D%/acme_published_table.c %D%/acme_published_table.h \
	%D%/acme_registry.c %D%/acme_registry.h \
	%D%/acme_registry_change.c %D%/acme_registry_change.h \
	%D%/acme_registry_expiry.c %D%/acme_registry_expiry.h \
	%D%/acme_registry_journals.c %D%/acme_registry_journals.h \
	%D%/acme_registry_limit.c %D%/acme_registry_limit.h \
	%D%/acme_registry_live.c %D%/acme_registry_live.h \
	%D%/acme_registry_order.c %D%/acme_registry_order.h \
	%D%/acme_registry_rehearsal.c %D%/acme_registry_rehearsal.h \
	%D%/acme_registry_request.c %D%/acme_registry_request.h \
	%D%/acme_registry_revoked.c %D%/acme_registry_revoked.h \
	%D%/acme_registry_self_check.c %D%/acme_registry_self_check.h \
	%D%/acme_registry_table.c %D%/acme_registry_table.h \
	%D%/acme_registry_types.h \
	%D%/acme_registry_window.c %D%/acme_registry_window.h \
	%D%/acme_reload.c %D%/acme_reload.h \
	%D%/acme_request.c %D%/acme_request.h \
	%D%/acme_seccomp.c %D%/acme_seccomp.h \
	%D%/acme_seccomp_calls.h \
	%D%/acme_seccomp_common_calls.h \
	%D%/acme_seccomp_parser_calls.h \
	%D%/acme_sign.c %D%/acme_sign.h \
	%D%/acme_state_load.c %D%/acme_state_load.h \
	%D%/acme_take_over.c %D%/acme_take_over.h \
	%D%/acme_token_command.c %D%/acme_token_command.h \
	%D%/acme_token_left.c %D%/acme_token_left.h \
	%D%/acme_webroot.c %D%/acme_webroot.h \
	%D%/entry/acme_keeper.h
