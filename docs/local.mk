# docs - documents, and what prints the tables that they repeat: no tests.

printers = build/print_directives build/print_reasons
check_PROGRAMS += $(printers)
build_print_directives_CPPFLAGS = $(httpd_flags)
build_print_directives_SOURCES = build/print_directives.c
build_print_reasons_CPPFLAGS = $(base_flags)
build_print_reasons_SOURCES = build/print_reasons.c mod_acme/base/acme_reason.c

manual: $(printers)
	$(SHELL) $(srcdir)/build/update-manual .
.PHONY: manual

EXTRA_DIST += \
	%D%/comparison.md \
	%D%/design.md \
	%D%/howto \
	%D%/measured.md \
	%D%/reasons \
	%D%/status-page.png \
	%D%/troubleshooting.md \
	build/update-manual \
	CHANGELOG \
	CONTRIBUTING.md \
	LICENSE \
	README.md \
	SECURITY.md
