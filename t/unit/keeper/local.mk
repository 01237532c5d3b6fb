# The unit tests of mod_acme/keeper/: a line a program.

keeper_tests = \
	%D%/test_accounts \
	%D%/test_activate \
	%D%/test_batch \
	%D%/test_ca_facts \
	%D%/test_ca_paces \
	%D%/test_cert_facts \
	%D%/test_cert_known \
	%D%/test_cert_reader \
	%D%/test_channels \
	%D%/test_confine \
	%D%/test_deploy \
	%D%/test_event \
	%D%/test_export \
	%D%/test_findings \
	%D%/test_handlers \
	%D%/test_history \
	%D%/test_hook_run \
	%D%/test_install \
	%D%/test_install_check \
	%D%/test_keeper \
	%D%/test_key_maker \
	%D%/test_launcher \
	%D%/test_name_quarantine \
	%D%/test_next_key \
	%D%/test_process \
	%D%/test_published \
	%D%/test_registry \
	%D%/test_registry_expiry \
	%D%/test_registry_journals \
	%D%/test_registry_order \
	%D%/test_registry_request \
	%D%/test_registry_self_check \
	%D%/test_registry_window \
	%D%/test_reload \
	%D%/test_sign \
	%D%/test_webroot
keeper_tests_libs = t/unit/help/libhelp.a \
	mod_acme/keeper/libacme_keeper.la \
	mod_acme/ipc/libacme_ipc.la \
	mod_acme/store/libacme_store.la \
	mod_acme/protocol/libacme_protocol.la \
	mod_acme/net/libacme_net.la \
	mod_acme/crypto/libacme_crypto.la \
	mod_acme/base/libacme_base.la

unit_tests += $(keeper_tests)
$(keeper_tests:%=%.$(OBJEXT)): AM_CPPFLAGS = $(in_help) $(keeper_flags) $(CMOCKA_CFLAGS)
$(keeper_tests): LDADD = $(call archives,$(keeper_tests_libs)) $(CMOCKA_LIBS) $(libraries)
$(keeper_tests): $(keeper_tests_libs)

# Keys of RSA are not made; see t/unit/help/ready_generate.c.
$(keeper_tests): private AM_LDFLAGS += \
	-Wl,--wrap=acme_key_generate -Wl,-u,__wrap_acme_key_generate

# Its handlers park requests, as those do that wait for the keeper's jobs.
wrapped_tests = %D%/test_keeper
$(wrapped_tests): private AM_LDFLAGS += \
	-Wl,--wrap=acme_handlers_answer -Wl,--wrap=acme_published_create
