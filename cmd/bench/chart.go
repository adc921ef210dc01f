package main

func chart(results) string { return "" }
