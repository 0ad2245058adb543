//! The binary: it runs the command line and maps the result to an exit code, nothing else.

fn main() {
    std::process::exit(tollbook::cli::main().code());
}
