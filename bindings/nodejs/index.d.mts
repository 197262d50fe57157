import * as steadis from './index.js'
export * from './index.js'
export default steadis
