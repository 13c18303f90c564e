import { Skeleton } from '../../../console/skeleton';

export default Skeleton;
