mod company;
mod crash;
mod determinism;
mod lock;
mod oracle;
mod pull;
mod support;
