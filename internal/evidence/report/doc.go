// Package report draws evidence as one page that a person can read on a screen and
// print on A4.
//
// # What it is
//
// One HTML file that holds all it needs: its style, its charts as inline SVG, no
// script, no link to anything outside itself. A Content-Security-Policy in its head
// (W3C CSP Level 3) admits that one style by its hash and nothing else, so that a
// name which got out of its place could still load and run nothing. html/template
// escapes whatever comes from the evidence, knowing where it stands. The page is
// also well-formed XML, which its tests rely on.
//
// # What it says
//
// The same numbers as the tables of the bundle, and none of its own: each chart is
// drawn from a grid of sums over one table and has that grid beside it, for those
// who do not see the chart and for those who want the number. The charts count
// every row; of a long table the first rows are printed, with how many more there
// are and in which file. The page is a drawing and no proof: what is to be relied
// on are the CSV files, the log and the signatures over them.
//
// # What is lost on failure
//
// Write puts the page together in memory and writes it in one piece: where it
// fails, the writer got nothing. Evidence with tables or columns that this package
// does not know is drawn all the same, as tables; a chart whose table is missing is
// left out, one whose table is empty says so.
package report
