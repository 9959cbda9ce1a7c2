// Module ids that do not hold the checkout's path: the committed build is the same bytes wherever it is made.
module.exports = {
  context: __dirname,
  optimization: { moduleIds: 'natural', chunkIds: 'natural' }
};
