#!/bin/sh
# Makes the workbooks in this folder anew, with LibreOffice (Debian: libreoffice-calc-nogui): types.xlsx from its source, the others
# from what make.py writes, which leaves beside each the cells that are in it. Only the times in the packages differ between runs.
set -eu
cd "$(dirname "$0")"
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
cp types.fods "$profile"
python3 make.py
mv formats.fods layout.fods dates1904.fods "$profile"
for source in "$profile"/*.fods; do
	soffice "-env:UserInstallation=file://$profile/user" --headless --convert-to xlsx:"Calc MS Excel 2007 XML" "$source"
done
