mod differential;
mod oracle;
mod support;
