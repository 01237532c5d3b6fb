# store - certificates, keys and journals on disk.

in_store = -I$(srcdir)/%D%
store_flags = $(in_store) $(in_crypto) $(in_base) $(cppflags)

noinst_LTLIBRARIES += %D%/libacme_store.la
%C%_libacme_store_la_CPPFLAGS = $(store_flags)
%C%_libacme_store_la_CFLAGS = $(hidden)
%C%_libacme_store_la_SOURCES = \
	%D%/acme_account_file.c %D%/acme_account_file.h \
	%D%/acme_archive.c %D%/acme_archive.h \
	%D%/acme_batch_file.c %D%/acme_batch_file.h \
	%D%/acme_deploy_file.c %D%/acme_deploy_file.h \
	%D%/acme_export_content.c %D%/acme_export_content.h \
	%D%/acme_export_rights.c %D%/acme_export_rights.h \
	%D%/acme_file.c %D%/acme_file.h \
	%D%/acme_journal.c %D%/acme_journal.h \
	%D%/acme_json_file.c %D%/acme_json_file.h \
	%D%/acme_live_index.c %D%/acme_live_index.h \
	%D%/acme_live_link.c %D%/acme_live_link.h \
	%D%/acme_live_mend.c %D%/acme_live_mend.h \
	%D%/acme_meta.c %D%/acme_meta.h \
	%D%/acme_next_key_file.c %D%/acme_next_key_file.h \
	%D%/acme_outside.c %D%/acme_outside.h \
	%D%/acme_password_file.c %D%/acme_password_file.h \
	%D%/acme_path.c %D%/acme_path.h \
	%D%/acme_pending.c %D%/acme_pending.h \
	%D%/acme_store.c %D%/acme_store.h \
	%D%/acme_sync.c %D%/acme_sync.h \
	%D%/acme_token_file.c %D%/acme_token_file.h \
	%D%/acme_trials.c %D%/acme_trials.h \
	%D%/acme_undelivered_file.c %D%/acme_undelivered_file.h
