mod company;
mod crash;
mod oracle;
mod support;
