#!/bin/sh
# Keeps an event: what a hook of adnanh/webhook runs.
printf '%s\n' "$1" >>events
sync events
