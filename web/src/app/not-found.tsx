import { ShopFrame } from '../shop/shop-frame';
import { ActionLink } from '../ui/action';

export default function NotFound() {
  return (
    <ShopFrame>
      <div className="py-10">
        <h1 className="text-headline">There is nothing here.</h1>
        <p className="mt-5 mb-7 max-w-(--measure) text-lead text-muted">
          The address is wrong, or the drop it named is gone.
        </p>
        <ActionLink href="/">See the drops</ActionLink>
      </div>
    </ShopFrame>
  );
}
