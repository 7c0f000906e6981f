// Command micro compares the micro-benchmarks of two revisions.
//
// It checks each revision out into a folder of its own, builds the test binaries of
// the packages in [suites], and runs them in turns: before, after, after, before, and
// so on. Whatever else the machine does meanwhile, and however its clock drifts, hits
// both the same; only the difference is worth reading. Each runs on one processor, in
// the folder of its package. benchstat says what differs and how sure that is.
//
// A benchmark that only one of the two revisions has cannot be compared, and stands
// with its own figures alone. Both builds come from what is committed; what is not
// committed is not measured.
//
// Nothing is lost on failure but the run: the report is written at the end, and the
// folders of the revisions are removed also when a run is interrupted.
package main
