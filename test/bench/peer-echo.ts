/** A process that sends back what it gets. */
process.on('message', (message) => process.send!(message));
