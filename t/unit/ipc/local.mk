# The unit tests of mod_acme/ipc/: a line a program.

ipc_tests = \
	%D%/test_caa_records \
	%D%/test_conf \
	%D%/test_conf_snapshot \
	%D%/test_counters \
	%D%/test_explain \
	%D%/test_keeper_client \
	%D%/test_live_pairs \
	%D%/test_message \
	%D%/test_next_step \
	%D%/test_rate_buckets \
	%D%/test_rate_past \
	%D%/test_rehearsal \
	%D%/test_renew_due \
	%D%/test_self_check \
	%D%/test_status_rows
ipc_tests_libs = t/unit/help/libhelp.a \
	mod_acme/ipc/libacme_ipc.la \
	mod_acme/protocol/libacme_protocol.la \
	mod_acme/net/libacme_net.la \
	mod_acme/crypto/libacme_crypto.la \
	mod_acme/base/libacme_base.la

unit_tests += $(ipc_tests)
$(ipc_tests:%=%.$(OBJEXT)): AM_CPPFLAGS = $(in_help) $(ipc_flags) $(CMOCKA_CFLAGS)
$(ipc_tests): LDADD = $(call archives,$(ipc_tests_libs)) $(CMOCKA_LIBS) $(libraries)
$(ipc_tests): $(ipc_tests_libs)
