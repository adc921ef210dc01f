package platform

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// What is inside of JSON that was found valid as a whole is only split: to look at every value once more on each level that it is nested in
// costs more than everything else that is done with an order.

// fieldsOf splits an object; nil for anything else. Of two fields of one name the last one counts, as with the decoder.
func fieldsOf(raw json.RawMessage) object {
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	o := object{}
	for i := pastBlank(raw, 1); i < len(raw) && raw[i] != '}'; {
		end := endOf(raw, i)
		name := textOf(raw[i:end])
		i = pastBlank(raw, end)
		i = pastBlank(raw, i+1) // the colon
		end = endOf(raw, i)
		o[name] = raw[i:end:end]
		if i = pastBlank(raw, end); i < len(raw) && raw[i] == ',' {
			i = pastBlank(raw, i+1)
		}
	}
	return o
}

// elementsOf splits a list; nil for anything else.
func elementsOf(raw json.RawMessage) (all []json.RawMessage) {
	if len(raw) == 0 || raw[0] != '[' {
		return nil
	}
	for i := pastBlank(raw, 1); i < len(raw) && raw[i] != ']'; {
		end := endOf(raw, i)
		all = append(all, raw[i:end:end])
		if i = pastBlank(raw, end); i < len(raw) && raw[i] == ',' {
			i = pastBlank(raw, i+1)
		}
	}
	return all
}

// pastBlank returns where the blanks at a place end.
func pastBlank(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\t' || raw[i] == '\n' || raw[i] == '\r') {
		i++
	}
	return i
}

// endOf returns where the value ends that begins at a place.
func endOf(raw []byte, i int) int {
	depth := 0
	for ; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i = endOfText(raw, i) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i // of what is around a number, or a word
			}
			depth--
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
			continue
		case ':':
			continue
		default:
			if depth == 0 && i+1 < len(raw) {
				continue // within a number or a word
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(raw)
}

// endOfText returns where a string ends whose first quote is at a place.
func endOfText(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

// plainText returns a string without escapes; false where it has some, or has to be repaired.
func plainText(raw json.RawMessage) (string, bool) {
	if len(raw) < 2 || raw[len(raw)-1] != '"' {
		return "", false
	}
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') >= 0 || !utf8.Valid(inner) {
		return "", false
	}
	return string(inner), true
}
