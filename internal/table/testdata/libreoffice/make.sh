#!/bin/sh
# Makes the workbooks in this folder anew from their sources, with LibreOffice (Debian: libreoffice-calc-nogui).
set -eu
cd "$(dirname "$0")"
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
for source in *.fods; do
	soffice "-env:UserInstallation=file://$profile" --headless --convert-to xlsx:"Calc MS Excel 2007 XML" "$source"
done
