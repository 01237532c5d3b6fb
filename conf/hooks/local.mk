# conf/hooks - ready-made commands for AcmeHook, AcmeDns and AcmeHttp.
#
# One line a script, here and a section in the manual page: build/check-lists
# verifies both for every file of the folder. Scripts get mode 0755.
hooksdir = $(pkgdatadir)/hooks

dist_hooks_SCRIPTS = \
	%D%/dns-acmesh \
	%D%/dns-lexicon \
	%D%/firewall-nft \
	%D%/notify-mail \
	%D%/notify-webhook

# What goes with a script: units of systemd, for example.
dist_hooks_DATA =

dist_man_MANS += %D%/mod_acme-hooks.8
